package guide_test

import (
	"strings"
	"testing"

	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/stats"

	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/plugin"
	"github.com/jackfield-go/jackfield/core/plugintest"
	"github.com/jackfield-go/jackfield/examples/bidirectional/counter"
	transportgrpc "github.com/jackfield-go/jackfield/transport-grpc"
)

// traced records a span for each call of either side, on every connection.
func traced(provider trace.TracerProvider) []transportgrpc.Option {
	options := []otelgrpc.Option{
		otelgrpc.WithTracerProvider(provider),
		otelgrpc.WithPropagators(propagation.TraceContext{}), // the other side continues the trace
		otelgrpc.WithFilter(applicationCall),
	}
	return []transportgrpc.Option{
		transportgrpc.WithDialOptions(grpc.WithStatsHandler(otelgrpc.NewClientHandler(options...))),
		transportgrpc.WithServerOptions(grpc.StatsHandler(otelgrpc.NewServerHandler(options...))),
	}
}

// applicationCall leaves out the calls of the plugin protocol: broker, prints, health.
func applicationCall(info *stats.RPCTagInfo) bool {
	return !strings.HasPrefix(info.FullMethodName, "/plugin.") && !strings.HasPrefix(info.FullMethodName, "/grpc.")
}

func TestTracesGoThroughCallbacks(t *testing.T) {
	spans := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))
	client := plugintest.Launch(t,
		host.Config{Handshake: counter.Handshake, Versions: counter.Versions(traced(provider)...)},
		plugin.Config{
			Handshake:  counter.Handshake,
			Versions:   counter.Versions(traced(provider)...),
			Implements: counter.Plugin.Bind(sums{}),
		})
	counted, err := host.Dispense(t.Context(), client, counter.Plugin)
	if err != nil {
		t.Fatal(err)
	}
	ctx, span := provider.Tracer("guide").Start(t.Context(), "a request to the application")
	if _, err := counted.Add(ctx, "apples", 2, adder{}); err != nil {
		t.Fatal(err)
	}
	span.End()
	if err := client.Close(); err != nil { // both sides have recorded all spans
		t.Fatal(err)
	}

	kinds := make(map[string]int)
	for _, recorded := range spans.GetSpans() {
		if recorded.SpanContext.TraceID() != span.SpanContext().TraceID() {
			t.Errorf("%s (%v) is outside of the trace", recorded.Name, recorded.SpanKind)
		}
		kinds[recorded.SpanKind.String()]++
	}
	// The call and its callback, each seen from both sides.
	if kinds["client"] != 2 || kinds["server"] != 2 || kinds["internal"] != 1 {
		t.Errorf("got spans %v", kinds)
	}
}
