package host_test

import (
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/handshake"
	"github.com/jackfield-go/jackfield/core/internal/faketransport"
	"github.com/jackfield-go/jackfield/core/plugin"
	"github.com/jackfield-go/jackfield/tlsutil"
)

func init() {
	roles["impostor"] = serveAnImpostor
	roles["static"] = serveStatic
	roles["static, for anybody"] = serveAnybody
	roles["tcp"] = func(string) int { return serveConfig(plugin.Config{Network: "tcp"}) }
	roles["without TLS"] = func(string) int {
		_ = os.Unsetenv(handshake.EnvClientCert)
		return serve("")
	}
}

// serveConfig serves the objects with a configuration.
func serveConfig(cfg plugin.Config) int {
	cfg.Handshake = cookie
	cfg.Versions = faketransport.Versions(&faketransport.Transport{Objects: objects}, 1)
	plugin.Serve(cfg)
	return 0
}

// serveAnImpostor announces one certificate and answers with another.
func serveAnImpostor(string) int {
	sent, err := tlsutil.ParsePEM(os.Getenv(handshake.EnvClientCert))
	if err != nil {
		return 1
	}
	announced, err := tlsutil.NewIdentity()
	if err != nil {
		return 1
	}
	other, err := tlsutil.NewIdentity()
	if err != nil {
		return 1
	}
	listener, err := net.Listen("unix", filepath.Join(os.Getenv(handshake.EnvSocketDir), "s"))
	if err != nil {
		return 1
	}
	fmt.Printf("1|1|unix|%s|%s|%s\n", listener.Addr(), faketransport.Protocol, announced.Field())
	for {
		conn, err := listener.Accept()
		if err != nil {
			return 1
		}
		_ = tls.Server(conn, tlsutil.Server(other, sent)).Handshake()
		_ = conn.Close()
	}
}

// serveStatic serves with the certificates in dir.
func serveStatic(dir string) int {
	return serveConfig(plugin.Config{TLS: core.TLSFiles(files(dir, "plugin"))})
}

// serveAnybody serves hosts without a certificate too.
func serveAnybody(dir string) int {
	open := files(dir, "plugin")
	open.CA = ""
	return serveConfig(plugin.Config{TLS: core.TLSFiles(open)})
}
