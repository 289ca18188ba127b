package languages_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	kvv1 "github.com/jackfield-go/jackfield/examples/proto/kv/v1"
)

// patience bounds what must not hang; interpreters take their time.
const patience = time.Minute

// Every plugin does the same under every host.
func TestPluginsInOtherLanguages(t *testing.T) {
	for _, l := range languages {
		for hostName, launch := range hosts {
			for _, mtls := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%s/mtls=%t", l.name, hostName, mtls), func(t *testing.T) {
					useStore(t, launch(t, l, mtls))
				})
			}
		}
	}
}

func useStore(t *testing.T, p launched) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := p.ping(ctx); err != nil {
		t.Errorf("ping: %v", err)
	}
	for key, value := range map[string][]byte{
		"colour": []byte("blue"),
		"empty":  {},
		"large":  bytes.Repeat([]byte("0123456789abcdef"), 1<<20), // 16 MiB
	} {
		if _, err := p.store.Put(ctx, &kvv1.PutRequest{Key: key, Value: value}); err != nil {
			t.Errorf("put %s: %v", key, err)
		}
		res, err := p.store.Get(ctx, &kvv1.GetRequest{Key: key})
		if err != nil || !bytes.Equal(res.GetValue(), value) {
			t.Errorf("get %s: %d bytes, %v", key, len(res.GetValue()), err)
		}
	}
	_, err := p.store.Get(ctx, &kvv1.GetRequest{Key: "size"})
	if status.Code(err) != codes.NotFound || strings.Contains(err.Error(), "Traceback") {
		t.Errorf("a key that is not there: %v", err)
	}
	p.end(t)
}
