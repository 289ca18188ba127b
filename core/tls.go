package core

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"

	"github.com/jackfield-go/jackfield/tlsutil"
)

// TLS is the pair of configurations for a connection under TLS, one for each
// role: either side of a broker may dial the other.
type TLS struct {
	Client *tls.Config
	Server *tls.Config

	// Refused is told of connections that came to nothing since who made them
	// did not do as Server asks, with the reason. Transports call it, by Refuse.
	// Nil: nobody is told.
	Refused func(err error)
}

// Refuse is what a transport calls when the handshake of a connection that
// Server serves has failed. A connection that was closed without a word, as by
// who looks whether a plugin is there, is no matter. It may be called on nil.
func (t *TLS) Refuse(err error) {
	if t != nil && t.Refused != nil && err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) {
		t.Refused(err)
	}
}

// TLSProvider returns TLS configurations of the application's own, for a host or
// a plugin. It is called at each launch. Nil, without an error, means no TLS of
// one's own.
//
// One of the two configurations may be missing: the other one then serves for
// both roles, as in go-plugin, which has one for both. A client without a
// ServerName asks for "localhost" (protocol §3). What is returned is not changed.
type TLSProvider func(ctx context.Context) (*TLS, error)

// TLSFiles is a [TLSProvider] that reads PEM files, at each launch again.
func TLSFiles(files tlsutil.Files) TLSProvider {
	return func(context.Context) (*TLS, error) {
		client, err := files.Client()
		if err != nil {
			return nil, err
		}
		if files.Certificate == "" { // a side that only dials
			return &TLS{Client: client}, nil
		}
		server, err := files.Server()
		if err != nil {
			return nil, err
		}
		return &TLS{Client: client, Server: server}, nil
	}
}

// Provide calls the provider and completes what it returns: the result has both
// configurations, and both are copies. A nil provider provides nil.
func (p TLSProvider) Provide(ctx context.Context) (*TLS, error) {
	if p == nil {
		return nil, nil
	}
	provided, err := p(ctx)
	if err != nil || provided == nil {
		return nil, err
	}
	client, server := provided.Client, provided.Server
	switch {
	case client == nil && server == nil:
		return nil, errors.New("the TLS provider returned neither a Client nor a Server configuration")
	case client == nil:
		client = server
	case server == nil:
		server = client
	}
	complete := &TLS{Client: client.Clone(), Server: server.Clone(), Refused: provided.Refused}
	if complete.Client.ServerName == "" {
		complete.Client.ServerName = tlsutil.ServerName
	}
	return complete, nil
}
