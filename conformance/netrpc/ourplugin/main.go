// Ourplugin is a plugin program built on Jackfield that serves the probe over
// net/rpc, for hosts built on hashicorp/go-plugin to run.
//
//	ourplugin [-versions LIST] [-farewell FILE] [-unclaimed DURATION]
//
// LIST and FILE are those of the program in conformance/goplugin/plugin; "legacy:"
// in front of LIST makes no difference here. DURATION is how long a brokered
// connection that nobody accepts waits.
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/jackfield-go/jackfield/broker"
	"github.com/jackfield-go/jackfield/conformance/goplugin/shared"
	"github.com/jackfield-go/jackfield/conformance/netrpc/ourprobe"
	"github.com/jackfield-go/jackfield/core/plugin"
	netrpc "github.com/jackfield-go/jackfield/transport-netrpc"
)

func main() {
	list := flag.String("versions", os.Getenv(shared.VersionsVariable), "application `versions` to serve")
	farewell := flag.String("farewell", "", "`file` to write after an orderly end")
	unclaimed := flag.Duration("unclaimed", 0, "how long a connection that nobody accepts waits; 0: as the library has it")
	flag.Parse()

	versions, err := shared.ParseVersions(*list)
	if err != nil {
		fmt.Fprintln(os.Stderr, "ourplugin:", err)
		os.Exit(2)
	}
	plugin.Serve(ourprobe.PluginConfig(versions, netrpc.WithBroker(broker.Config{UnclaimedTimeout: *unclaimed})))
	if *farewell == "" {
		return
	}
	if err := os.WriteFile(*farewell, []byte("served to the end\n"), 0o600); err != nil {
		fmt.Fprintln(os.Stderr, "ourplugin:", err)
		os.Exit(3)
	}
}
