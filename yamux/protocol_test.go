package yamux

import (
	"encoding/hex"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
)

func TestFrameHeaderIsTwelveBytesBigEndian(t *testing.T) {
	f := frame{kind: typeWindowUpdate, flags: flagSYN | flagFIN, id: 0x01020304, length: 0x0a0b0c0d}
	encoded := f.append(nil)
	if got := hex.EncodeToString(encoded); got != "00010005010203040a0b0c0d" {
		t.Errorf("encoded as %s", got)
	}
	if got, err := parseFrame(encoded); err != nil || got != f {
		t.Errorf("decoded as %+v, %v", got, err)
	}
}

func TestSessionEndsOnProtocolErrors(t *testing.T) {
	syn := string(frame{kind: typeWindowUpdate, flags: flagSYN, id: 1}.append(nil))
	tests := map[string]struct {
		sent   string
		reason string
	}{
		"other version":     {"\x01" + strings.Repeat("\x00", 11), "version"},
		"unknown type":      {"\x00\x04" + strings.Repeat("\x00", 10), "type"},
		"stream 0":          {string(frame{kind: typeWindowUpdate, flags: flagSYN}.append(nil)), "ID of this side"},
		"our parity":        {string(frame{kind: typeData, flags: flagSYN, id: 2}.append(nil)), "ID of this side"},
		"identifier in use": {syn + syn, "ID in use"},
		"window exceeded":   {syn + string(frame{kind: typeData, id: 1, length: initialWindow + 1}.append(nil)), "more data"},
		"far too much for an unknown stream": {
			string(frame{kind: typeData, id: 77, length: math.MaxUint32}.append(nil)), "more data",
		},
		"window overflow": {
			syn + string(frame{kind: typeWindowUpdate, id: 1, length: math.MaxUint32}.append(nil)), "32 bits",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c, s := unixPair(t)
			session, peer := withRawPeer(t, Config{}, c, s)
			if _, err := io.WriteString(c, test.sent); err != nil {
				t.Fatal(err)
			}
			peer.expect(frame{kind: typeGoAway, length: goAwayProtocolError})
			if _, _, err := readFrame(c); !errors.Is(err, io.EOF) {
				t.Errorf("the connection is still there: %v", err)
			}
			within(t, "end", session.Done())
			var broken *ProtocolError
			if err := session.Err(); !errors.As(err, &broken) || !strings.Contains(err.Error(), test.reason) {
				t.Errorf("reason: %v", err)
			}
			if _, err := session.Open(t.Context()); !errors.Is(err, ErrSessionClosed) || !errors.As(err, &broken) {
				t.Errorf("open: %v", err)
			}
		})
	}
}

func TestWindowIsCountedOverFramesAndGrantedByReads(t *testing.T) {
	const half = initialWindow / 2
	c, s := unixPair(t)
	session, peer := withRawPeer(t, Config{}, c, s)
	peer.open(1, 0)
	st := peer.accept(session)
	for range 3 {
		peer.send(frame{kind: typeData, id: 1, length: half}, strings.Repeat("x", half))
		peer.send(frame{kind: typeData, id: 1, length: half}, strings.Repeat("y", half))
		for range 2 {
			if _, err := io.ReadFull(st, make([]byte, half)); err != nil {
				t.Fatal(err)
			}
			peer.expect(frame{kind: typeWindowUpdate, id: 1, length: half})
		}
	}
	peer.send(frame{kind: typeData, id: 1, length: half}, strings.Repeat("x", half))
	peer.send(frame{kind: typeData, id: 1, length: half + 1}, "")
	peer.expect(frame{kind: typeGoAway, length: goAwayProtocolError})
}

func TestSessionEndsIfThePeerNeverReads(t *testing.T) {
	c, s := pipePair(t)
	session, _ := withRawPeer(t, Config{Linger: -1}, c, s)
	ping := frame{kind: typePing, flags: flagSYN}.append(nil)
	for range maxAnswers * 2 {
		if _, err := c.Write(ping); err != nil {
			break
		}
	}
	within(t, "end", session.Done())
	var broken *ProtocolError
	if err := session.Err(); !errors.As(err, &broken) || !strings.Contains(err.Error(), "answers") {
		t.Errorf("reason: %v", err)
	}
}

func TestCloseAnswersMuchLateDataWithOneReset(t *testing.T) {
	c, s := unixPair(t)
	session, peer := withRawPeer(t, Config{}, c, s)
	peer.open(1, 0)
	st := peer.accept(session)
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	peer.expect(frame{kind: typeWindowUpdate, flags: flagFIN, id: 1})
	peer.send(frame{kind: typeData, id: 1, length: lateData}, strings.Repeat("x", lateData)) // sent before the close arrived
	peer.send(frame{kind: typePing, flags: flagSYN, length: 8}, "")
	peer.expect(frame{kind: typePing, flags: flagACK, length: 8})
	for range 3 {
		peer.send(frame{kind: typeData, id: 1, length: 5}, "hello")
	}
	peer.send(frame{kind: typePing, flags: flagSYN, length: 9}, "")
	peer.expect(frame{kind: typeWindowUpdate, flags: flagRST, id: 1})
	peer.expect(frame{kind: typePing, flags: flagACK, length: 9})
	if n := session.NumStreams(); n != 0 {
		t.Errorf("%d streams left", n)
	}
}

func TestSessionIgnoresLateAndUnknownFrames(t *testing.T) {
	c, s := unixPair(t)
	session, peer := withRawPeer(t, Config{}, c, s)
	peer.send(frame{kind: typeData, id: 99, length: 4}, "data")
	peer.send(frame{kind: typeData, flags: flagFIN, id: 0, length: 4}, "data")
	peer.send(frame{kind: typeWindowUpdate, id: 99, length: 7}, "")
	peer.send(frame{kind: typeWindowUpdate, flags: flagRST, id: 98}, "")
	peer.send(frame{kind: typePing, flags: flagACK, length: 1234}, "")
	peer.open(1, 0)
	peer.send(frame{kind: typeData, flags: flagFIN, id: 1, length: 3}, "end")
	peer.send(frame{kind: typeData, id: 1, length: 4}, "more")
	st := peer.accept(session)
	if got, err := io.ReadAll(st); string(got) != "end" || err != nil {
		t.Errorf("read %q, %v", got, err)
	}
	if err := session.Err(); err != nil {
		t.Error(err)
	}
}

func TestStreamsArriveInAnyOrderOfIDs(t *testing.T) {
	c, s := unixPair(t)
	session, peer := withRawPeer(t, Config{}, c, s)
	for _, id := range []uint32{7, 3, 5} {
		peer.send(frame{kind: typeData, flags: flagSYN, id: id, length: 1}, string(rune('0'+id)))
	}
	for _, id := range []uint32{7, 3, 5} {
		st := peer.accept(session)
		p := make([]byte, 1)
		if _, err := st.Read(p); err != nil || st.ID() != id || p[0] != byte('0'+id) {
			t.Errorf("stream %d with %q, %v instead of %d", st.ID(), p, err, id)
		}
	}
}

func TestWindowBeyondTheInitialIsGrantedWithTheStream(t *testing.T) {
	const window = 1 << 20
	c, s := unixPair(t)
	session, peer := withRawPeer(t, Config{Window: window}, c, s)
	if _, err := session.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	peer.expect(frame{kind: typeWindowUpdate, flags: flagSYN, id: 2, length: window - initialWindow})
	peer.open(1, 0)
	if _, err := session.Accept(t.Context()); err != nil {
		t.Fatal(err)
	}
	peer.expect(frame{kind: typeWindowUpdate, flags: flagACK, id: 1, length: window - initialWindow})
	if _, err := c.Write(frame{kind: typeData, id: 1, length: window}.append(nil)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write(make([]byte, window)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write(frame{kind: typeData, id: 1, length: 1}.append(nil)); err != nil {
		t.Fatal(err)
	}
	peer.expect(frame{kind: typeGoAway, length: goAwayProtocolError})
}

func TestGoAwayWithAnErrorEndsTheSession(t *testing.T) {
	for code, text := range map[uint32]string{1: "protocol error", 2: "internal error", 3: "code 3"} {
		c, s := unixPair(t)
		session, peer := withRawPeer(t, Config{}, c, s)
		peer.send(frame{kind: typeGoAway, length: code}, "")
		within(t, "end", session.Done())
		var away *GoAwayError
		if err := session.Err(); !errors.As(err, &away) || away.Code != code || !strings.Contains(err.Error(), text) {
			t.Errorf("code %d: %v", code, err)
		}
	}
}

func TestStreamIDsRunOut(t *testing.T) {
	client, _ := func() (*Session, *Session) { c, s := unixPair(t); return sessions(t, c, s, Config{}) }()
	client.mu.Lock()
	client.nextID = math.MaxUint32 - 2
	client.mu.Unlock()
	if st, err := client.Open(t.Context()); err != nil || st.ID() != math.MaxUint32-2 {
		t.Errorf("next to last: %v", err)
	}
	if _, err := client.Open(t.Context()); !errors.Is(err, ErrStreamsExhausted) {
		t.Errorf("beyond the last: %v", err)
	}
}
