package logs

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
)

const (
	cookieKey   = "JACKFIELD_LOGS"
	cookieValue = "flood"
)

// shortLine is a short log line; fullLine is a typical line of a server.
const (
	shortLine = `{"@level":"info","@message":"handled request","@timestamp":"2024-05-06T07:08:09.123456Z","bytes":18231}`
	fullLine  = `{"@caller":"/src/plugin/server.go:231","@level":"info","@message":"handled request","@module":"plugin.server",` +
		`"@timestamp":"2024-05-06T07:08:09.123456+02:00","bytes":18231,"cached":false,"method":"GET","path":"/v1/items/42","seconds":0.0172}`
	// lastLine ends a flood; it is logged even if the other lines are not.
	lastLine = `{"@level":"error","@message":"end"}`
)

// lines are the lines that a host can order, by number.
var lines = [...]string{shortLine, fullLine}

func TestMain(m *testing.M) {
	if os.Getenv(cookieKey) == cookieValue {
		if err := flood(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// An order tells a plugin what to write.
type order struct {
	Line  uint32 // index in lines
	Count uint32 // number of repetitions
}

// flood is the plugin: it takes orders on the address of its handshake line, and needs
// neither library.
func flood() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer listener.Close()
	fmt.Fprintf(os.Stdout, "1|1|tcp|%s|netrpc|\n", listener.Addr())
	conn, err := listener.Accept()
	if err != nil {
		return err
	}
	defer conn.Close()
	for {
		var o order
		if err := binary.Read(conn, binary.BigEndian, &o); err != nil {
			return nil // the host is gone
		}
		text := strings.Repeat(lines[o.Line]+"\n", int(o.Count)) + lastLine + "\n"
		if _, err := io.WriteString(os.Stderr, text); err != nil {
			return err
		}
	}
}
