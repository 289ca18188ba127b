package transportgrpc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/jackfield-go/jackfield/broker/exchange"
	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/proto/pluginpb"
)

// isPermanent reports whether a method is a stream open for a host's whole time: the
// plugin's output or the broker's.
func isPermanent(method string) bool {
	return method == pluginpb.GRPCStdio_StreamStdio_FullMethodName ||
		method == pluginpb.GRPCBroker_StartStream_FullMethodName
}

// openStreams opens the permanent streams, the broker's at once: a plugin may wait
// for it in its first call. Receiving is for goroutines of their own, since opening
// makes a stack several times as large as receiving needs, and it stays so.
func (s *session) openStreams() {
	defer close(s.opened)
	if s.roomFor(1) {
		s.openOutput()
	} else {
		s.outputEnded(errFewStreams)
		s.warnOfFewStreams("the stream of its output was not opened: its prints are lost")
	}
	if s.roomFor(permanentStreams) {
		s.openBroker(false)
	} else {
		s.brokerEnded(errFewStreams)
		s.warnOfFewStreams("the stream of the broker was not opened: nothing can be lent or borrowed")
	}
}

// roomFor reports whether n permanent streams leave a stream for calls. Without it,
// calls would wait silently.
func (s *session) roomFor(n uint32) bool { return s.dialer.maxStreams() > n }

var errFewStreams = fmt.Errorf("the plugin's server takes too few streams at a time: %w", ErrNoBroker)

func (s *session) warnOfFewStreams(consequence string) {
	s.link.Logger.Warn("the plugin's server takes too few streams at a time: let it take two, and one for each call at a time",
		"limit", s.dialer.maxStreams(), "consequence", consequence)
}

// openOutput opens the stream of the plugin's output, and again after a lost
// connection.
func (s *session) openOutput() {
	stream, err := pluginpb.NewGRPCStdioClient(s.conn).StreamStdio(
		s.streams, &emptypb.Empty{}, grpc.MaxCallRecvMsgSize(maxOutput), grpc.WaitForReady(true))
	if err != nil {
		s.outputEnded(err)
		return
	}
	opened := time.Now()
	s.running.Go(func() {
		err := s.output.receive(stream)
		if !s.comesBack(stream.Context(), err) {
			s.outputEnded(err)
			return
		}
		s.reopening <- struct{}{}
		s.running.Go(func() {
			defer func() { <-s.reopening }()
			s.pause(opened)
			s.openOutput()
		})
	})
}

// openBroker opens the broker's stream, and again after a lost connection if the
// plugin has announced a lasting broker: go-plugin's broker ends with its first stream.
func (s *session) openBroker(again bool) {
	ctx, cancel := context.WithCancel(s.streams)
	if announcesLending(s.link.Fields) {
		ctx = withLending(ctx, len(s.offered) > 0)
	}
	stream, err := pluginpb.NewGRPCBrokerClient(s.conn).StartStream(
		ctx, grpc.MaxCallRecvMsgSize(maxInfo), grpc.WaitForReady(true))
	if err != nil {
		cancel()
		s.brokerEnded(err)
		return
	}
	scheme := s.scheme()
	run := scheme.Run
	if plain, ok := scheme.(*exchange.Plain); ok && again {
		run = plain.Resume
	}
	opened := time.Now()
	s.running.Go(func() {
		defer cancel()
		defer context.AfterFunc(s.answered, cancel)()
		err := run(s.streams, hostInfoStream{infoStream{stream}, cancel})
		if header, _ := stream.Header(); len(header.Get(brokerResumes)) > 0 {
			s.resumes.Store(true)
		}
		if !s.resumes.Load() || !s.comesBack(stream.Context(), err) {
			s.brokerEnded(err)
			return
		}
		s.running.Go(func() {
			s.pause(opened)
			s.openBroker(true)
		})
	})
}

// pause keeps a peer that drops each connection at once from busy reconnecting. It ends
// with the need for permanent streams.
func (s *session) pause(opened time.Time) {
	if time.Since(opened) > time.Second {
		return
	}
	timer := time.NewTimer(50 * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.streams.Done():
	}
}

// comesBack reports whether to open a permanent stream again after err: it was lost
// with its connection.
func (s *session) comesBack(stream context.Context, err error) bool {
	if err == nil || errors.Is(err, io.EOF) || s.streams.Err() != nil || s.asked.Load() {
		return false
	}
	p, ok := peer.FromContext(stream)
	return ok && fromConnection(status.Code(err)) && s.dialer.lost(p)
}

// brokerResumes is the key of a header in a plugin's answer to the broker's stream, if
// its broker outlives the stream.
const brokerResumes = "jackfield-broker-resumes"

func sendResumes(stream grpc.ServerStream) error {
	return stream.SendHeader(metadata.Pairs(brokerResumes, "true"))
}

// brokerEnded fails brokered connections from now on.
func (s *session) brokerEnded(err error) {
	s.broker.end(brokerEnd(err))
	if plain, ok := s.scheme().(*exchange.Plain); ok {
		_ = plain.Close() // the other scheme carries calls too
	}
	if err != nil && s.streams.Err() == nil && !s.asked.Load() {
		s.link.Logger.Debug("the plugin's broker has ended", "reason", err)
	}
}

// brokerEnd is the error of brokered connections after the end err of the stream.
func brokerEnd(err error) error {
	switch {
	case errors.Is(err, ErrNoBroker):
		return err
	case status.Code(err) == codes.Unimplemented:
		return ErrNoBroker
	}
	return core.ErrClosed
}
