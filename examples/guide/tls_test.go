package guide_test

import (
	"crypto/tls"
	"net"
	"testing"

	"github.com/jackfield-go/jackfield/tlsutil"
)

func TestIdentitiesKnowEachOther(t *testing.T) {
	other, err := tlsutil.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	sent := other.PEM()

	own, err := tlsutil.NewIdentity() // tell the other side own.PEM()
	if err != nil {
		t.Fatal(err)
	}
	peer, err := tlsutil.ParsePEM(sent) // what the other side told
	if err != nil {
		t.Fatal(err)
	}
	clientConfig := tlsutil.Client(own, peer) // to dial it
	serverConfig := tlsutil.Server(own, peer) // to serve it

	back, err := tlsutil.ParsePEM(own.PEM())
	if err != nil {
		t.Fatal(err)
	}
	shake(t, clientConfig, tlsutil.Server(other, back))
	shake(t, tlsutil.Client(other, back), serverConfig)
}

func shake(t *testing.T, client, server *tls.Config) {
	t.Helper()
	here, there := net.Pipe()
	defer here.Close()
	defer there.Close()
	served := make(chan error, 1)
	go func() { served <- tls.Server(there, server).HandshakeContext(t.Context()) }()
	if err := tls.Client(here, client).HandshakeContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-served; err != nil {
		t.Fatal(err)
	}
}
