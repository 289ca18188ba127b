package grpc_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/jackfield-go/jackfield/conformance/goplugingrpc/probe"
	conformancev1 "github.com/jackfield-go/jackfield/conformance/proto/conformance/v1"
	"github.com/jackfield-go/jackfield/core"
	transportgrpc "github.com/jackfield-go/jackfield/transport-grpc"
)

// hostService answers as the host, without a particular broker ID.
type hostService struct {
	conformancev1.UnimplementedHostServiceServer
}

func (hostService) Answer(_ context.Context, request *conformancev1.AnswerRequest) (*conformancev1.AnswerResponse, error) {
	return &conformancev1.AnswerResponse{Answer: probe.Answer(probe.HostName, request.GetQuestion())}, nil
}

// TestOurHostLends lets the plugin call a service lent by the host for one call.
func TestOurHostLends(t *testing.T) {
	eachSubject(t, func(t *testing.T, u *subject) {
		for range 5 {
			ctx, cancel := context.WithCancel(within(t))
			id, err := transportgrpc.Lend[conformancev1.HostServiceServer](ctx, u.probe.Conns, conformancev1.RegisterHostServiceServer, hostService{})
			if err != nil {
				t.Fatal(err)
			}
			answer, err := u.probe.Callback(ctx, &conformancev1.CallbackRequest{BrokerId: id, Question: "why?"})
			if err != nil || answer.GetAnswer() != "host answers why?" {
				t.Errorf("callback: %v, %v", answer, err)
			}
			cancel()
		}
		u.closeInOrder(t)
	})
}

// TestOurHostBorrows calls the plugin's service from the host, until a context ends.
func TestOurHostBorrows(t *testing.T) {
	eachSubject(t, func(t *testing.T, u *subject) {
		offered, err := u.probe.Offer(within(t), &conformancev1.OfferRequest{Count: 1})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(within(t))
		answerer, err := transportgrpc.Borrow(ctx, u.probe.Conns, offered.GetBrokerIds()[0], conformancev1.NewHostServiceClient)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := answerer.Answer(within(t), &conformancev1.AnswerRequest{Question: "why?"})
		if err != nil || answer.GetAnswer() != "plugin answers why?" {
			t.Errorf("answer: %v, %v", answer, err)
		}
		cancel()
		u.closeInOrder(t)
	})
}

// TestOurHostHasAHundredBrokeredConnectionsAtOnce dials in one direction, then in the
// other. The right server answers each connection.
func TestOurHostHasAHundredBrokeredConnectionsAtOnce(t *testing.T) {
	const connections = 100
	eachPeer(t, func(t *testing.T, p peer) {
		for _, s := range []setting{{}, {multiplexed: true}} {
			t.Run(s.String(), func(t *testing.T) {
				u := p.launch(t, launch{setting: s})
				offered, err := u.probe.Offer(within(t), &conformancev1.OfferRequest{Count: connections})
				if err != nil {
					t.Fatal(err)
				}
				var atOnce sync.WaitGroup
				for _, id := range offered.GetBrokerIds() {
					atOnce.Go(func() { u.askAt(t, id) })
				}
				atOnce.Wait()
				for range connections {
					atOnce.Go(func() { u.callBack(t) })
				}
				atOnce.Wait()
				u.expectAlive(t)
				u.closeInOrder(t)
			})
		}
	})
}

// askAt asks the plugin's service at id.
func (u *subject) askAt(t *testing.T, id uint32) {
	t.Helper()
	conn, err := u.probe.Conns.Client(within(t), id)
	if err != nil {
		t.Errorf("dial %d: %v", id, err)
		return
	}
	defer func() { _ = conn.Close() }()
	if err := probe.Ask(within(t), conn, probe.PluginName, id, "who?", 0); err != nil {
		t.Error(err)
	}
}

// callBack lets the plugin ask the host.
func (u *subject) callBack(t *testing.T) {
	t.Helper()
	serving, err := probe.Serve(within(t), u.probe.Broker, false, probe.Answerer(probe.HostName))
	if err != nil {
		t.Error(err)
		return
	}
	answer, err := u.probe.Callback(within(t), &conformancev1.CallbackRequest{BrokerId: serving.ID, Question: "who?"})
	if err != nil || answer.GetAnsweredBy() != serving.ID {
		t.Errorf("callback at %d: %v, %v", serving.ID, answer, err)
	}
	if err := serving.Stop(); err != nil {
		t.Error(err)
	}
}

// TestOurHostDialsBeforeThePluginServes dials unserved IDs: the dial waits. A plugin on
// go-plugin receives the IDs after it accepts.
func TestOurHostDialsBeforeThePluginServes(t *testing.T) {
	for _, s := range settings() {
		t.Run(s.String(), func(t *testing.T) {
			u := plugins()[1].launch(t, launch{setting: s})
			const first, count = 1, 3 // the plugin's counter starts at 1
			var early sync.WaitGroup
			for id := range uint32(count) {
				early.Go(func() { u.askAt(t, first+id) })
			}
			u.expectAlive(t) // so the dials are under way
			if _, err := u.probe.Offer(within(t), &conformancev1.OfferRequest{Count: count, Early: true}); err != nil {
				t.Error(err)
			}
			early.Wait()
			u.closeInOrder(t)
		})
	}
}

func TestOurHostGivesUpADialOfTheBroker(t *testing.T) {
	eachSubject(t, func(t *testing.T, u *subject) {
		ctx, cancel := context.WithCancel(within(t))
		dialled := make(chan error, 1)
		go func() {
			conn, err := u.probe.Conns.Client(ctx, 4242)
			if err == nil {
				_, err = conformancev1.NewHostServiceClient(conn).Answer(ctx, &conformancev1.AnswerRequest{})
				_ = conn.Close()
			}
			dialled <- err
		}()
		u.callBack(t) // the pending dial blocks nothing
		cancel()
		if err := <-dialled; !errors.Is(err, context.Canceled) {
			t.Errorf("dial: %v, expected context.Canceled", err)
		}
		u.callBack(t)
		offered, err := u.probe.Offer(within(t), &conformancev1.OfferRequest{Count: 1})
		if err != nil {
			t.Fatal(err)
		}
		u.askAt(t, offered.GetBrokerIds()[0])
		u.closeInOrder(t)
		if _, err := u.probe.Conns.Client(within(t), 1); !errors.Is(err, core.ErrClosed) {
			t.Errorf("dial after the end: %v, expected core.ErrClosed", err)
		}
	})
}
