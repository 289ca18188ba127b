// This program is a plugin with a call of each kind of stream: its own, its host's,
// and both at once.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"google.golang.org/grpc"

	"github.com/jackfield-go/jackfield/core/plugin"
	feedv1 "github.com/jackfield-go/jackfield/examples/proto/feed/v1"
	"github.com/jackfield-go/jackfield/examples/streaming/feed"
)

// thermometer invents its measurements.
type thermometer struct {
	feedv1.UnimplementedFeedServiceServer
}

// Watch sends up to the limit. Send waits while the host is slow, and fails after the host has
// cancelled.
func (thermometer) Watch(req *feedv1.WatchRequest, stream grpc.ServerStreamingServer[feedv1.WatchResponse]) error {
	for n := uint32(0); req.GetLimit() == 0 || n < req.GetLimit(); n++ {
		if err := stream.Send(&feedv1.WatchResponse{Celsius: 20 + float64(n%8)/2}); err != nil {
			if stream.Context().Err() != nil {
				fmt.Println("printed: the host has seen enough") // the host receives it too
			}
			return err
		}
	}
	return nil
}

// Record answers when the host has closed its stream.
func (thermometer) Record(stream grpc.ClientStreamingServer[feedv1.RecordRequest, feedv1.RecordResponse]) error {
	var count uint32
	var sum float64
	for {
		req, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		count++
		sum += req.GetCelsius()
	}
	if count == 0 {
		return errors.New("nothing was measured")
	}
	return stream.SendAndClose(&feedv1.RecordResponse{Count: count, MeanCelsius: sum / float64(count)})
}

// Convert answers one request at a time.
func (thermometer) Convert(stream grpc.BidiStreamingServer[feedv1.ConvertRequest, feedv1.ConvertResponse]) error {
	for {
		req, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := stream.Send(&feedv1.ConvertResponse{Fahrenheit: req.GetCelsius()*9/5 + 32}); err != nil {
			return err
		}
	}
}

func main() {
	plugin.Serve(plugin.Config{
		Handshake:  feed.Handshake,
		Versions:   feed.Versions,
		Implements: feed.Plugin.Bind(thermometer{}),
		OnShutdown: []func(context.Context){func(context.Context) { fmt.Println("printed: the thermometer is put away") }},
	})
}
