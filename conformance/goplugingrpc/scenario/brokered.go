package scenario

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackfield-go/jackfield/conformance/goplugingrpc/probe"
	conformancev1 "github.com/jackfield-go/jackfield/conformance/proto/conformance/v1"
)

// These are the sizes of the brokered scenarios.
const (
	manyConnections     = 100
	parallelConnections = 40
)

// callback serves on the host, and the plugin dials.
func callback(ctx context.Context, r *Run) error {
	for i := range 3 {
		if err := callbackOnce(ctx, r, fmt.Sprintf("question %d", i), 1<<10, 3); err != nil {
			return err
		}
	}
	return alive(ctx, r)
}

func callbackMany(ctx context.Context, r *Run) error {
	began := time.Now()
	for i := range manyConnections {
		if err := callbackOnce(ctx, r, fmt.Sprintf("question %d", i), 0, 1); err != nil {
			return fmt.Errorf("connection %d: %w", i, err)
		}
	}
	r.See("msEach", float64(time.Since(began).Microseconds())/1000/manyConnections)
	return alive(ctx, r)
}

func callbackParallel(ctx context.Context, r *Run) error {
	err := atOnce(parallelConnections, func(i int) error {
		return callbackOnce(ctx, r, fmt.Sprintf("question %d at once", i), 0, 1)
	})
	return errors.Join(err, alive(ctx, r))
}

// callbackOnce lets the plugin ask the host over a brokered connection.
func callbackOnce(ctx context.Context, r *Run, question string, size, times uint32) error {
	serving, err := probe.Serve(ctx, r.Probe.Broker, false, probe.Answerer(probe.HostName))
	if err != nil {
		return err
	}
	answer, err := r.Probe.Callback(ctx, &conformancev1.CallbackRequest{
		BrokerId: serving.ID, Question: question, Times: times, Size: size,
	})
	stopErr := serving.Stop()
	if err != nil {
		return errors.Join(fmt.Errorf("callback at the broker ID %d: %w", serving.ID, err), stopErr)
	}
	if answer.GetAnsweredBy() != serving.ID {
		return &probe.WrongServerError{Asked: serving.ID, Answered: answer.GetAnsweredBy()}
	}
	return errors.Join(expect("answer", answer.GetAnswer(), probe.Answer(probe.HostName, question)), stopErr)
}

// offer dials the plugin's services; all connections stay open to the end.
func offer(ctx context.Context, r *Run) error {
	return offers(ctx, r, 3, func(ids []uint32) error {
		conns := make([]probe.Conn, 0, len(ids))
		for i, id := range ids {
			conn, err := r.Probe.Broker.Dial(ctx, id)
			if err != nil {
				return fmt.Errorf("dial the plugin's broker ID %d: %w", id, err)
			}
			defer func() { _ = conn.Close() }()
			conns = append(conns, conn)
			for earlier, conn := range conns { // earlier connections still answer
				if err := probe.Ask(ctx, conn, probe.PluginName, ids[earlier], fmt.Sprintf("question %d", i), 1<<10); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func offerMany(ctx context.Context, r *Run) error {
	began := time.Now()
	for i := range manyConnections {
		err := offers(ctx, r, 1, func(ids []uint32) error { return askAt(ctx, r, ids[0], "one of many") })
		if err != nil {
			return fmt.Errorf("connection %d: %w", i, err)
		}
	}
	r.See("msEach", float64(time.Since(began).Microseconds())/1000/manyConnections)
	return alive(ctx, r)
}

func offerParallel(ctx context.Context, r *Run) error {
	err := offers(ctx, r, parallelConnections, func(ids []uint32) error {
		return atOnce(len(ids), func(i int) error { return askAt(ctx, r, ids[i], "at once") })
	})
	return errors.Join(err, alive(ctx, r))
}

// offers lets the plugin serve n IDs while use runs.
func offers(ctx context.Context, r *Run, n uint32, use func(ids []uint32) error) error {
	offered, err := r.Probe.Offer(ctx, &conformancev1.OfferRequest{Count: n})
	if err != nil {
		return fmt.Errorf("offer: %w", err)
	}
	err = use(offered.GetBrokerIds())
	if _, withdrawErr := r.Probe.Withdraw(ctx, &conformancev1.WithdrawRequest{BrokerIds: offered.GetBrokerIds()}); withdrawErr != nil {
		err = errors.Join(err, fmt.Errorf("withdraw: %w", withdrawErr))
	}
	return err
}

// askAt dials an ID of the plugin, asks there and closes.
func askAt(ctx context.Context, r *Run, id uint32, question string) error {
	conn, err := r.Probe.Broker.Dial(ctx, id)
	if err != nil {
		return fmt.Errorf("dial the plugin's broker ID %d: %w", id, err)
	}
	return errors.Join(probe.Ask(ctx, conn, probe.PluginName, id, question, 0), conn.Close())
}

// bothWays dials several connections from each side concurrently.
func bothWays(ctx context.Context, r *Run) error {
	const each, rounds = 4, 5
	err := offers(ctx, r, each*rounds, func(ids []uint32) error {
		return atOnce(2*each, func(i int) error {
			for round := range rounds {
				var err error
				if i < each {
					err = askAt(ctx, r, ids[i*rounds+round], "both ways")
				} else {
					err = callbackOnce(ctx, r, "both ways", 0, 1)
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
	})
	return errors.Join(err, alive(ctx, r))
}

// redial dials one ID several times, sequentially and concurrently.
func redial(ctx context.Context, r *Run) error {
	const times = 5
	return offers(ctx, r, 1, func(ids []uint32) error {
		for range times {
			if err := askAt(ctx, r, ids[0], "again"); err != nil {
				return err
			}
		}
		return atOnce(times, func(int) error { return askAt(ctx, r, ids[0], "again, at once") })
	})
}
