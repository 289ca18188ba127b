package yamux

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"net"
	"testing"
	"time"
)

// tlsPair returns both ends of a TLS connection over a unix socket.
func tlsPair(t testing.TB) (client, server net.Conn) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	c, s := unixPair(t)
	client = tls.Client(c, &tls.Config{InsecureSkipVerify: true})
	server = tls.Server(s, &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{cert}, PrivateKey: key}}})
	return client, server
}

// An interrupted write would leave a TLS connection unusable.
func TestWriteDeadlineLeavesTLSIntact(t *testing.T) {
	c, s := tlsPair(t)
	session, peer := withRawPeer(t, Config{}, c, s)
	peer.open(1, 64<<20)
	writeToStopped(t, peer, peer.accept(session), func(st *Stream) {
		st.SetWriteDeadline(time.Now().Add(30 * time.Millisecond))
	})
}

func TestSessionsOverTLS(t *testing.T) {
	c, s := tlsPair(t)
	client, server := sessions(t, c, s, Config{})
	a, b := streams(t, client, server)
	sent := seeded(3, 2<<20)
	go func() { io.Copy(a, bytes.NewReader(sent)); a.CloseWrite() }()
	if got, err := io.ReadAll(b); err != nil || !bytes.Equal(got, sent) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	client.Close()
	within(t, "end", server.Done())
	if err := server.Err(); err != io.EOF {
		t.Errorf("reason: %v", err)
	}
}
