package pluginpb_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"

	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/jackfield-go/jackfield/proto/pluginpb"
)

// vectors is the file of test vectors published with docs/protocol.md, for implementations
// in any language.
const vectors = "../../docs/vectors/grpc.json"

func TestMessagesHaveTheBytesOfTheVectors(t *testing.T) {
	data, err := os.ReadFile(vectors)
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Messages []struct {
			Name, Message, Hex string
			Fields             map[string]any
		}
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	kinds := map[string]proto.Message{
		"plugin.ConnInfo":                   (*pluginpb.ConnInfo)(nil),
		"plugin.StdioData":                  (*pluginpb.StdioData)(nil),
		"plugin.Empty":                      (*pluginpb.Empty)(nil),
		"grpc.health.v1.HealthCheckRequest": (*healthpb.HealthCheckRequest)(nil),
	}
	for _, vector := range file.Messages {
		t.Run(vector.Name, func(t *testing.T) {
			kind, ok := kinds[vector.Message]
			if !ok {
				t.Fatalf("this test does not know the message %s", vector.Message)
			}
			wire, err := hex.DecodeString(vector.Hex)
			if err != nil {
				t.Fatal(err)
			}
			got, want := kind.ProtoReflect().New().Interface(), kind.ProtoReflect().New().Interface()
			if err := proto.Unmarshal(wire, got); err != nil {
				t.Fatal(err)
			}
			if err := protojson.Unmarshal(protoJSON(t, vector.Fields), want); err != nil {
				t.Fatal(err)
			}
			if !proto.Equal(got, want) {
				t.Errorf("read %v, want %v", got, want)
			}
			written, err := proto.MarshalOptions{Deterministic: true}.Marshal(want)
			if err != nil {
				t.Fatal(err)
			}
			if got := hex.EncodeToString(written); got != vector.Hex {
				t.Errorf("wrote %s, want %s", got, vector.Hex)
			}
		})
	}
}

// protoJSON converts a vector's fields to protobuf's JSON encoding, with bytes in base64.
func protoJSON(t *testing.T, fields map[string]any) []byte {
	t.Helper()
	if text, ok := fields["data"].(string); ok {
		fields["data"] = base64.StdEncoding.EncodeToString([]byte(text))
	}
	data, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}

	return data
}
