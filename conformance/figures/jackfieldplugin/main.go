// This program is the measured plugin, built on Jackfield.
package main

import (
	"context"
	"io"

	"github.com/jackfield-go/jackfield/conformance/figures/service"
	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/plugin"
	netrpc "github.com/jackfield-go/jackfield/transport-netrpc"
)

func main() {
	set := netrpc.PluginSet{service.Name: netrpc.PluginFuncs{
		NewServer: func(b *netrpc.Broker) (any, error) {
			return &service.Server{Dial: func(id uint32) (io.ReadCloser, error) {
				return b.OpenReader(context.Background(), netrpc.Reader{ID: id})
			}}, nil
		},
	}}
	plugin.Serve(plugin.Config{
		Handshake: core.Handshake{MagicCookieKey: service.CookieKey, MagicCookieValue: service.CookieValue},
		Versions:  core.Versions{1: {netrpc.New(set)}},
	})
}
