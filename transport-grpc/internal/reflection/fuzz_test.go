package reflection

import (
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// FuzzAnswer looks for a question that gets no answer. The names and numbers in
// it are the other side's.
func FuzzAnswer(f *testing.F) {
	for _, q := range questions {
		encoded, err := proto.Marshal(q.req)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(encoded)
	}
	s := &server{services: grpc.NewServer(), library: newLibrary(protoregistry.GlobalFiles, protoregistry.GlobalTypes)}
	f.Fuzz(func(t *testing.T, encoded []byte) {
		req := new(request)
		if proto.Unmarshal(encoded, req) != nil {
			return // gRPC ends the stream
		}
		c := conversation{server: s, sent: make(map[string]bool)}
		for range 2 {
			res := c.answer(req)
			if res.GetMessageResponse() == nil {
				t.Fatalf("no answer to %v", req)
			}
			if _, err := proto.Marshal(res); err != nil {
				t.Fatalf("the answer to %v: %v", req, err)
			}
		}
	})
}
