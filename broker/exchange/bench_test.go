package exchange_test

import (
	"testing"

	"github.com/jackfield-go/jackfield/broker"
)

// BenchmarkConnect listens for an ID, dials it and accepts: the cost of a
// brokered connection before its first byte.
func BenchmarkConnect(b *testing.B) {
	for name, pair := range pairs {
		b.Run(name, func(b *testing.B) {
			host, plugin := pair(b, broker.Config{})
			ctx := within(b)
			var ids broker.IDs
			b.ReportAllocs()
			for b.Loop() {
				id := ids.Next()
				l, err := plugin.Listen(ctx, id)
				if err != nil {
					b.Fatal(err)
				}
				dialled, err := host.Dial(ctx, id)
				if err != nil {
					b.Fatal(err)
				}
				accepted, err := l.Accept()
				if err != nil {
					b.Fatal(err)
				}
				dialled.Close()
				accepted.Close()
				l.Close()
			}
		})
	}
}

// BenchmarkDial dials an ID with a listener, and accepts.
func BenchmarkDial(b *testing.B) {
	for name, pair := range pairs {
		b.Run(name, func(b *testing.B) {
			host, plugin := pair(b, broker.Config{})
			ctx := within(b)
			l := listen(b, plugin, 1)
			b.ReportAllocs()
			for b.Loop() {
				dialled, err := host.Dial(ctx, 1)
				if err != nil {
					b.Fatal(err)
				}
				accepted, err := l.Accept()
				if err != nil {
					b.Fatal(err)
				}
				dialled.Close()
				accepted.Close()
			}
		})
	}
}
