package core

import (
	"context"
	"crypto/tls"
	"errors"

	"github.com/jackfield-go/jackfield/tlsutil"
)

// TLS is the pair of configurations for a connection under TLS, one for each
// role: either side of a broker may dial the other.
type TLS struct {
	Client *tls.Config
	Server *tls.Config
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
	complete := &TLS{Client: client.Clone(), Server: server.Clone()}
	if complete.Client.ServerName == "" {
		complete.Client.ServerName = tlsutil.ServerName
	}
	return complete, nil
}
