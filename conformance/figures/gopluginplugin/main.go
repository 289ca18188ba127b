// This program is the measured plugin, built on hashicorp/go-plugin.
package main

import (
	"io"
	"net/rpc"

	goplugin "github.com/hashicorp/go-plugin"

	"github.com/jackfield-go/jackfield/conformance/figures/service"
)

type servicePlugin struct{}

func (servicePlugin) Server(b *goplugin.MuxBroker) (any, error) {
	return &service.Server{Dial: func(id uint32) (io.ReadCloser, error) { return b.Dial(id) }}, nil
}

func (servicePlugin) Client(*goplugin.MuxBroker, *rpc.Client) (any, error) { return nil, nil }

func main() {
	goplugin.Serve(&goplugin.ServeConfig{
		HandshakeConfig: goplugin.HandshakeConfig{
			ProtocolVersion:  1,
			MagicCookieKey:   service.CookieKey,
			MagicCookieValue: service.CookieValue,
		},
		Plugins: goplugin.PluginSet{service.Name: servicePlugin{}},
	})
}
