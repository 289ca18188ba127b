// This program is a plugin with callbacks to its host: it uses the host's adder
// for sums, and reads from the host's reader.
package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/jackfield-go/jackfield/core/plugin"
	"github.com/jackfield-go/jackfield/examples/callback/counter"
)

type memory struct {
	mu     sync.Mutex
	counts map[string]int
}

func (m *memory) Add(ctx context.Context, key string, n int, adder counter.Adder) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	sum, err := adder.Sum(ctx, m.counts[key], n) // runs in the host
	if err != nil {
		return 0, fmt.Errorf("the host's adder: %w", err)
	}
	m.counts[key] = sum
	return sum, nil
}

func (m *memory) CountWords(_ context.Context, r io.Reader) (int, error) {
	words := 0
	scanner := bufio.NewScanner(r)
	scanner.Split(bufio.ScanWords)
	for scanner.Scan() {
		words++
	}
	return words, scanner.Err()
}

func main() {
	plugin.Serve(plugin.Config{
		Handshake:  counter.Handshake,
		Versions:   counter.Versions,
		Implements: counter.Plugin.Bind(&memory{counts: make(map[string]int)}),
	})
}
