//go:build unix

package trust

import (
	"context"
	"os"
	"testing"
	"time"

	goplugin "github.com/hashicorp/go-plugin"

	"github.com/jackfield-go/jackfield/conformance/goplugin/probeplugin"
	"github.com/jackfield-go/jackfield/conformance/goplugin/shared"
	grpcplugin "github.com/jackfield-go/jackfield/conformance/goplugingrpc/probeplugin"
	ourgrpc "github.com/jackfield-go/jackfield/conformance/grpc/ourprobe"
	ournetrpc "github.com/jackfield-go/jackfield/conformance/netrpc/ourprobe"
	"github.com/jackfield-go/jackfield/core/plugin"
)

// roleVariable makes the test binary a plugin.
const roleVariable = "JACKFIELD_TRUST_ROLE"

const patience = 20 * time.Second

// impatience is the timeout of some plugins for a host's first message.
const impatience = 3 * time.Second

func oneVersion() shared.Versions { return shared.Versions{Numbers: []int{1}} }

func TestMain(m *testing.M) {
	switch os.Getenv(roleVariable) {
	case "":
		os.Exit(m.Run())
	case "our net/rpc":
		plugin.Serve(ournetrpc.PluginConfig(oneVersion()))
	case "our gRPC":
		plugin.Serve(ourgrpc.PluginConfig(oneVersion()))
	case "our net/rpc, impatient":
		plugin.Serve(impatient(ournetrpc.PluginConfig(oneVersion())))
	case "our gRPC, impatient":
		plugin.Serve(impatient(ourgrpc.PluginConfig(oneVersion())))
	case "our net/rpc, own TLS":
		plugin.Serve(withOwnTLS(ournetrpc.PluginConfig(oneVersion())))
	case "our gRPC, own TLS":
		plugin.Serve(withOwnTLS(ourgrpc.PluginConfig(oneVersion())))
	case "their net/rpc":
		goplugin.Serve(probeplugin.Serve(oneVersion()))
	case "their gRPC":
		goplugin.Serve(grpcplugin.Serve(oneVersion()))
	}
}

func withOwnTLS(cfg plugin.Config) plugin.Config {
	cfg.TLS = pluginsOwn()
	return cfg
}

func impatient(cfg plugin.Config) plugin.Config {
	cfg.ConnectionTimeout = impatience
	return cfg
}

// within returns a context for operations that must not hang.
func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience)
	t.Cleanup(cancel)
	return ctx
}
