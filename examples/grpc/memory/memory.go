// Package memory is the store that both plugins in Go serve. It knows nothing of
// plugins.
package memory

import (
	"context"
	"log/slog"
	"sync"

	"github.com/jackfield-go/jackfield/examples/grpc/kv"
)

// Store keeps values in memory. Calls come at the same time, so it has a lock.
type Store struct {
	logger *slog.Logger

	mu     sync.Mutex
	values map[string][]byte
}

// New returns an empty store that writes to logger what it does.
func New(logger *slog.Logger) *Store {
	return &Store{logger: logger, values: make(map[string][]byte)}
}

// Put stores value, which is the store's from then on.
func (s *Store) Put(_ context.Context, key string, value []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.values[key] = value
	s.logger.Info("stored a value", "key", key, "bytes", len(value))
	return nil
}

// Get returns the value under key, which is not to be changed.
func (s *Store) Get(_ context.Context, key string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	value, ok := s.values[key]
	if !ok {
		return nil, kv.ErrNotFound
	}
	return value, nil
}
