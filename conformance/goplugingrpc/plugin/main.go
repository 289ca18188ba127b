// Plugin is a plugin program built on hashicorp/go-plugin. It serves the probe over gRPC,
// for hosts built on Jackfield.
//
//	plugin [-versions LIST] [-farewell FILE]
//
// LIST is "1" (the default), "2,3" for versioned plugin sets, or "legacy:1" for one set
// without versions. Without a command line, the variable JACKFIELD_CONFORMANCE_VERSIONS
// sets it. The program writes FILE after the library's serve has returned to main, so only
// after an orderly end (protocol §8). The host chooses TLS and multiplexing.
package main

import (
	"flag"
	"fmt"
	"os"

	goplugin "github.com/hashicorp/go-plugin"

	"github.com/jackfield-go/jackfield/conformance/goplugin/shared"
	"github.com/jackfield-go/jackfield/conformance/goplugingrpc/probeplugin"
)

func main() {
	list := flag.String("versions", os.Getenv(shared.VersionsVariable), "application `versions` to serve")
	farewell := flag.String("farewell", "", "`file` to write after an orderly end")
	flag.Parse()

	versions, err := shared.ParseVersions(*list)
	if err != nil {
		fmt.Fprintln(os.Stderr, "plugin:", err)
		os.Exit(2)
	}
	goplugin.Serve(probeplugin.Serve(versions))
	if *farewell == "" {
		return
	}
	if err := os.WriteFile(*farewell, []byte("served to the end\n"), 0o600); err != nil {
		os.Exit(3) // os.Stderr is the library's pipe by now: a message would be lost
	}
}
