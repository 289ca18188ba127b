package probe

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	conformancev1 "github.com/jackfield-go/jackfield/conformance/proto/conformance/v1"
)

// MaxAnswer is the longest answer of [Server.Big], in bytes.
const MaxAnswer = 256 << 20

// Server is the plugin's end of the probe. Make one with [NewServer].
type Server struct {
	conformancev1.UnimplementedProbeServiceServer

	broker      Broker
	version     int
	interrupted atomic.Uint32

	mu     sync.Mutex
	offers map[uint32]*Serving
}

// NewServer returns a server of that application version. It reaches the host's brokered
// connections through broker.
func NewServer(broker Broker, version int) *Server {
	return &Server{broker: broker, version: version, offers: make(map[uint32]*Serving)}
}

// Echo returns its argument.
func (s *Server) Echo(_ context.Context, request *conformancev1.EchoRequest) (*conformancev1.EchoResponse, error) {
	return &conformancev1.EchoResponse{Payload: request.GetPayload()}, nil
}

// Fail ends with the given status.
func (s *Server) Fail(_ context.Context, request *conformancev1.FailRequest) (*conformancev1.FailResponse, error) {
	return &conformancev1.FailResponse{}, failure(request.GetCode(), request.GetMessage())
}

func failure(code uint32, message string) error {
	return status.Error(codes.Code(code), message) // nil for OK
}

// Sleep returns when the time has passed, or with its context.
func (s *Server) Sleep(ctx context.Context, request *conformancev1.SleepRequest) (*conformancev1.SleepResponse, error) {
	timer := time.NewTimer(request.GetDuration().AsDuration())
	defer timer.Stop()
	select {
	case <-timer.C:
		return &conformancev1.SleepResponse{}, nil
	case <-ctx.Done():
		s.interrupted.Add(1)
		return nil, status.FromContextError(ctx.Err()).Err()
	}
}

// Print writes to the process's os.Stdout and os.Stderr at the time of the call, so the
// output takes the path of a plugin's prints.
func (s *Server) Print(_ context.Context, request *conformancev1.PrintRequest) (*conformancev1.PrintResponse, error) {
	for range max(request.GetTimes(), 1) {
		if _, err := os.Stdout.WriteString(request.GetStdout()); err != nil {
			return nil, fmt.Errorf("write to os.Stdout: %w", err)
		}
		if _, err := os.Stderr.WriteString(request.GetStderr()); err != nil {
			return nil, fmt.Errorf("write to os.Stderr: %w", err)
		}
	}
	return &conformancev1.PrintResponse{}, nil
}

// Big takes bytes and returns the requested number of bytes of [Pattern].
func (s *Server) Big(_ context.Context, request *conformancev1.BigRequest) (*conformancev1.BigResponse, error) {
	if request.GetAnswerSize() > MaxAnswer {
		return nil, status.Errorf(codes.InvalidArgument, "%d bytes requested, at most %d allowed", request.GetAnswerSize(), MaxAnswer)
	}
	sum := sha256.Sum256(request.GetPayload())
	return &conformancev1.BigResponse{
		Payload:        Pattern(int(request.GetAnswerSize())),
		ReceivedSize:   uint64(len(request.GetPayload())),
		ReceivedSha256: sum[:],
	}, nil
}

// Crash ends the plugin's process, without an answer.
func (s *Server) Crash(ctx context.Context, request *conformancev1.CrashRequest) (*conformancev1.CrashResponse, error) {
	if text := request.GetPanic(); text != "" {
		go func() { panic(text) }()
		<-ctx.Done()
		return nil, status.FromContextError(ctx.Err()).Err()
	}
	os.Exit(int(request.GetExitCode()))
	return &conformancev1.CrashResponse{}, nil
}

// Status describes the plugin and its resources.
func (s *Server) Status(context.Context, *conformancev1.StatusRequest) (*conformancev1.StatusResponse, error) {
	s.mu.Lock()
	offers := len(s.offers)
	s.mu.Unlock()
	return &conformancev1.StatusResponse{
		Pid:         int64(os.Getpid()),
		Version:     uint32(s.version),
		Goroutines:  uint32(runtime.NumGoroutine()),
		Files:       openFiles(),
		Interrupted: s.interrupted.Load(),
		Offers:      uint32(offers),
	}, nil
}

// openFiles counts the process's open files; 0 means that the platform does not tell.
func openFiles() uint32 {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return uint32(len(entries))
}
