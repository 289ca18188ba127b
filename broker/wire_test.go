package broker_test

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/broker"
)

// vectors is the file of docs/protocol.md §4.
const vectors = "../docs/vectors/netrpc.json"

// TestIDsMatchTheVectorsOnTheWire checks the bytes of both roles.
func TestIDsMatchTheVectorsOnTheWire(t *testing.T) {
	data, err := os.ReadFile(vectors)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("needs: the whole repository around the module")
	}
	var file struct {
		BrokerIDs []struct {
			ID  uint32 `json:"id"`
			Hex string `json:"hex"`
		} `json:"broker_ids"`
	}
	if err != nil || json.Unmarshal(data, &file) != nil || len(file.BrokerIDs) == 0 {
		t.Fatalf("no vectors in %s: %v", vectors, err)
	}
	b, peer := rawPair(t, broker.Config{})
	for _, vector := range file.BrokerIDs {
		t.Run(vector.Hex, func(t *testing.T) {
			dial := async(within(t), b.Dial, vector.ID)
			stream, err := peer.Accept(within(t))
			if err != nil {
				t.Fatal(err)
			}
			bytes := readHex(t, stream)
			if bytes != vector.Hex {
				t.Errorf("the dialer of %d wrote %s, want %s", vector.ID, bytes, vector.Hex)
			}
			writeHex(t, stream, vector.Hex)
			if got := receive(t, "dial", dial); got.err != nil {
				t.Error(got.err)
			}

			accept := async(within(t), b.Accept, vector.ID)
			if stream, err = peer.Open(within(t)); err != nil {
				t.Fatal(err)
			}
			writeHex(t, stream, vector.Hex)
			if got := receive(t, "accept", accept); got.err != nil {
				t.Error(got.err)
			}
			if bytes := readHex(t, stream); bytes != vector.Hex {
				t.Errorf("the acceptor of %d wrote %s, want %s", vector.ID, bytes, vector.Hex)
			}
		})
	}
}

func readHex(t *testing.T, conn broker.Conn) string {
	t.Helper()
	var bytes [4]byte
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	if _, err := io.ReadFull(conn, bytes[:]); err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(bytes[:])
}

func writeHex(t *testing.T, conn broker.Conn, text string) {
	t.Helper()
	bytes, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write(bytes); err != nil {
		t.Fatal(err)
	}
}
