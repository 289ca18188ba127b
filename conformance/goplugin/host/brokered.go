package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/jackfield-go/jackfield/conformance/goplugin/shared"
)

// callback serves on the host, and the plugin dials.
func callback(ctx context.Context, s *session) error {
	const oneByOne, atOnce = 3, 8
	probe, err := s.launchProbe(ctx)
	if err != nil {
		return err
	}
	for i := range oneByOne {
		if err := shared.AnswerPlugin(ctx, probe, fmt.Sprintf("question %d", i)); err != nil {
			return err
		}
	}
	outcomes := make(chan error, atOnce)
	for i := range atOnce {
		go func() { outcomes <- shared.AnswerPlugin(ctx, probe, fmt.Sprintf("question at once %d", i)) }()
	}
	for range atOnce {
		err = errors.Join(err, <-outcomes)
	}
	s.see("callbacks", oneByOne+atOnce)
	return err
}

// serveBack dials the plugin's service, with several connections open at once.
func serveBack(ctx context.Context, s *session) error {
	const connections = 3
	probe, err := s.launchProbe(ctx)
	if err != nil {
		return err
	}
	ids := make([]uint32, 0, connections)
	for i := range connections {
		id, err := probe.ServeBack(ctx)
		if err != nil {
			return err
		}
		ids = append(ids, id)
		asker, err := shared.DialAsker(ctx, probe, id)
		if err != nil {
			return err
		}
		defer func() { _ = asker.Close() }()
		if err := shared.AskPlugin(ctx, asker, fmt.Sprintf("question %d", i)); err != nil {
			return err
		}
	}
	s.see("ids", ids)
	return nil
}

// reader lets the plugin read a raw stream of the host.
func reader(ctx context.Context, s *session) error {
	probe, err := s.launchProbe(ctx)
	if err != nil {
		return err
	}
	data := shared.Pattern(s.opts.readerBytes)
	broker := probe.Broker()
	id := broker.NextId()
	sent := make(chan error, 1)
	go func() {
		conn, err := broker.Accept(id)
		if err == nil {
			_, err = bytes.NewReader(data).WriteTo(conn)
			err = errors.Join(err, conn.Close())
		}
		sent <- err
	}()
	began := time.Now()
	got, err := probe.ReadAll(ctx, id)
	if err != nil {
		return err
	}
	took := time.Since(began)
	s.see("bytes", got.Bytes)
	s.see("megabytesPerSecond", float64(got.Bytes)/1e6/took.Seconds())
	sum := sha256.Sum256(data)
	return errors.Join(<-sent,
		expect("bytes", got.Bytes, int64(len(data))),
		expect("checksum", got.SHA256, hex.EncodeToString(sum[:])))
}

// unclaimed dials an ID without a server, twice, and then dispenses an instance.
// go-plugin's own plugins never answer a Dispense again (F15).
func unclaimed(ctx context.Context, s *session) error {
	const id, dials, dropped = 4242, 2, 7 * time.Second
	probe, err := s.launchProbe(ctx)
	if err != nil {
		return err
	}
	short, cancel := context.WithTimeout(ctx, dropped)
	defer cancel()
	outcomes := make(chan error, dials)
	for range dials {
		go func() {
			_, err := shared.DialAsker(short, probe, id)
			outcomes <- err
		}()
	}
	var texts []string
	for range dials {
		err := <-outcomes
		if err == nil {
			return errors.New("a dial of an unserved ID succeeded")
		}
		texts = append(texts, err.Error())
	}
	s.see("dialErrors", texts)
	again, cancelAgain := context.WithTimeoutCause(ctx, 3*time.Second,
		errors.New("no answer in 3 s after the unclaimed dials"))
	defer cancelAgain()
	second, err := s.dispense(again)
	if err != nil {
		return err
	}
	return echoes(again, second, "still here")
}
