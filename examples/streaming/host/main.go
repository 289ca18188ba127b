// This program is a host with streams. It receives from the plugin named by its
// argument, sends to it, and talks to it both ways.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/jackfield-go/jackfield/core/host"
	feedv1 "github.com/jackfield-go/jackfield/examples/proto/feed/v1"
	"github.com/jackfield-go/jackfield/examples/streaming/feed"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: host path/to/feed-plugin")
		os.Exit(2)
	}
	if err := run(context.Background(), os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, path string) error {
	cfg := host.Config{
		Handshake: feed.Handshake,
		Versions:  feed.Versions,
		Command:   host.Command(path),
		AutoMTLS:  host.MTLSRequired,
		Outputs:   host.Outputs{PrintedStdout: os.Stdout},
	}
	return host.With(ctx, cfg, call)
}

// call makes a call of each kind.
func call(ctx context.Context, client *host.Client) error {
	feeder, err := host.Dispense(ctx, client, feed.Plugin)
	if err != nil {
		return err
	}
	for _, try := range []func(context.Context, feedv1.FeedServiceClient) error{watch, stopWatching, record, convert} {
		if err := try(ctx, feeder); err != nil {
			return err
		}
	}
	return nil
}

// watch receives to the end.
func watch(ctx context.Context, feeder feedv1.FeedServiceClient) error {
	stream, err := feeder.Watch(ctx, &feedv1.WatchRequest{Limit: 3})
	if err != nil {
		return err
	}
	for {
		resp, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		fmt.Printf("watched: %.1f °C\n", resp.GetCelsius())
	}
}

// stopWatching stops before the plugin does: it cancels the context.
func stopWatching(ctx context.Context, feeder feedv1.FeedServiceClient) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := feeder.Watch(ctx, &feedv1.WatchRequest{})
	if err != nil {
		return err
	}
	for range 1000 {
		if _, err := stream.Recv(); err != nil {
			return err
		}
	}
	cancel()
	for err == nil {
		_, err = stream.Recv() // values already on their way
	}
	if status.Code(err) != codes.Canceled {
		return err
	}
	fmt.Println("watched 1000 more, and stopped")
	return nil
}

// record sends, and gets one answer.
func record(ctx context.Context, feeder feedv1.FeedServiceClient) error {
	stream, err := feeder.Record(ctx)
	if err != nil {
		return err
	}
	for _, celsius := range []float64{18, 21, 24} {
		if err := stream.Send(&feedv1.RecordRequest{Celsius: celsius}); err != nil {
			break // the plugin has ended the call; CloseAndRecv returns the reason
		}
	}
	resp, err := stream.CloseAndRecv()
	if err != nil {
		return err
	}
	fmt.Printf("recorded: %d values, %.1f °C in the mean\n", resp.GetCount(), resp.GetMeanCelsius())
	return nil
}

// convert sends requests and receives answers repeatedly on one call.
func convert(ctx context.Context, feeder feedv1.FeedServiceClient) error {
	stream, err := feeder.Convert(ctx)
	if err != nil {
		return err
	}
	for _, celsius := range []float64{0, 37, 100} {
		if err := stream.Send(&feedv1.ConvertRequest{Celsius: celsius}); err != nil {
			return err
		}
		resp, err := stream.Recv()
		if err != nil {
			return err
		}
		fmt.Printf("converted: %.1f °C are %.1f °F\n", celsius, resp.GetFahrenheit())
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	if _, err := stream.Recv(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("the end of the stream is %w", err)
	}
	return nil
}
