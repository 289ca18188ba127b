// Package gluetest runs implementations of generated interfaces in tests.
package gluetest

import (
	"testing"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/plugin"
	"github.com/jackfield-go/jackfield/core/plugintest"
	transportgrpc "github.com/jackfield-go/jackfield/transport-grpc"
	"github.com/jackfield-go/jackfield/transport-grpc/glue"
)

// Open returns a host's client for impl: over a real connection with mutual TLS, within this
// process. The end of the test closes the connection. An error ends the test.
//
//	notes := gluetest.Open(t, notesv1.NoteServicePlugin, notesv1.NoteServiceVersions(), impl)
//
// The options are the host's, such as that of its services.
func Open[S, C any](tb testing.TB, p core.Plugin[S, C], versions glue.Versions, impl S, opts ...transportgrpc.Option) C {
	tb.Helper()
	handshake := core.Handshake{MagicCookieKey: "JACKFIELD_GLUETEST", MagicCookieValue: "gluetest"}
	client := plugintest.Launch(tb,
		host.Config{Handshake: handshake, Versions: versions.Core(opts...), AutoMTLS: host.MTLSRequired},
		plugin.Config{Handshake: handshake, Versions: versions.Core(), Implements: p.Bind(impl)})
	dispensed, err := host.Dispense(tb.Context(), client, p)
	if err != nil {
		tb.Fatal(err)
	}
	return dispensed
}
