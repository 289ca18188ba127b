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
	measured := core.Define[*service.Server](service.Name)
	server := func(b *netrpc.Broker, impl *service.Server) (any, error) {
		served := *impl // one copy for each host
		served.Dial = func(id uint32) (io.ReadCloser, error) {
			return b.BorrowReader(context.Background(), netrpc.ReaderRef{ID: id})
		}
		return &served, nil
	}
	plugin.Serve(plugin.Config{
		Handshake:  core.Handshake{MagicCookieKey: service.CookieKey, MagicCookieValue: service.CookieValue},
		Versions:   core.Versions{1: {netrpc.New(netrpc.Carry(measured, server, nil))}},
		Implements: measured.Bind(new(service.Server)),
	})
}
