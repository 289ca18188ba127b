// Ourplugin is a plugin program built on Jackfield. It serves the probe over net/rpc, for
// hosts built on hashicorp/go-plugin.
//
//	ourplugin [-versions LIST] [-farewell FILE] [-unclaimed DURATION] [-require-host CONSTRAINT]
//
// LIST and FILE are those of the program in conformance/goplugin/plugin; "legacy:" in front
// of LIST makes no difference here. DURATION is the timeout of a brokered connection
// without an acceptor. CONSTRAINT is the plugin's requirement of its host.
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
	unclaimed := flag.Duration("unclaimed", 0, "timeout of a connection without an acceptor; 0: the library's default")
	required := flag.String("require-host", "", "`constraint` on the version of the host")
	flag.Parse()

	versions, err := shared.ParseVersions(*list)
	if err != nil {
		fmt.Fprintln(os.Stderr, "ourplugin:", err)
		os.Exit(2)
	}
	cfg := ourprobe.PluginConfig(versions, netrpc.WithBroker(broker.Config{UnclaimedTimeout: *unclaimed}))
	cfg.RequireHost = *required
	plugin.Serve(cfg)
	if *farewell == "" {
		return
	}
	if err := os.WriteFile(*farewell, []byte("served to the end\n"), 0o600); err != nil {
		fmt.Fprintln(os.Stderr, "ourplugin:", err)
		os.Exit(3)
	}
}
