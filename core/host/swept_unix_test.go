//go:build unix

package host_test

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/internal/faketransport"
	"github.com/jackfield-go/jackfield/core/plugintest"
)

// A cleaner of temporary files removes the directory for sockets while the plugin runs.
func TestBothSidesListenOnceTheirDirectoryWasSweptAway(t *testing.T) {
	plugintest.NoLeaks(t)
	dirs := shortDir(t)
	cfg := config(t, "serve", "")
	cfg.Sockets.Dirs = []string{dirs}
	var link core.HostLink
	cfg.Versions = core.Versions{1: {lateTransport{
		Transport: new(faketransport.Transport),
		session:   func(s core.Session, l core.HostLink) core.Session { link = l; return s },
	}}}
	client := launch(t, cfg)
	sweep := func() {
		t.Helper()
		made, err := filepath.Glob(filepath.Join(dirs, "*"))
		if err != nil || len(made) != 1 || os.RemoveAll(made[0]) != nil {
			t.Fatalf("%q, %v", made, err)
		}
	}
	host := func() {
		t.Helper()
		listener, err := link.Listen(within(t))
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		conn, err := new(net.Dialer).DialContext(within(t), listener.AnnounceNetwork, listener.AnnounceAddress)
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.Close()
	}
	plugin := func() {
		t.Helper()
		conn, err := link.DialAddress(within(t), "unix", call(t, client, "answer once", "hello"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if text, err := io.ReadAll(conn); string(text) != "hello" {
			t.Errorf("got %q, %v", text, err)
		}
	}
	for _, first := range []func(){host, plugin} {
		sweep()
		first()
		host()
		plugin()
	}
	sweep()
	plugin()
	if err := client.Close(); err != nil {
		t.Error(err)
	}
	empty(t, dirs)
}
