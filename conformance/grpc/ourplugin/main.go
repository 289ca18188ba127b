// Ourplugin is a plugin program built on Jackfield. It serves the probe over gRPC, for
// hosts built on hashicorp/go-plugin.
//
//	ourplugin [-versions LIST] [-farewell FILE]
//
// LIST and FILE are those of the program in conformance/goplugingrpc/plugin; "legacy:" in
// front of LIST makes no difference here.
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/jackfield-go/jackfield/conformance/goplugin/shared"
	"github.com/jackfield-go/jackfield/conformance/grpc/ourprobe"
	"github.com/jackfield-go/jackfield/core/plugin"
)

func main() {
	list := flag.String("versions", os.Getenv(shared.VersionsVariable), "application `versions` to serve")
	farewell := flag.String("farewell", "", "`file` to write after an orderly end")
	flag.Parse()

	versions, err := shared.ParseVersions(*list)
	if err != nil {
		fmt.Fprintln(os.Stderr, "ourplugin:", err)
		os.Exit(2)
	}
	plugin.Serve(ourprobe.PluginConfig(versions))
	if *farewell == "" {
		return
	}
	if err := os.WriteFile(*farewell, []byte("served to the end\n"), 0o600); err != nil {
		fmt.Fprintln(os.Stderr, "ourplugin:", err)
		os.Exit(3)
	}
}
