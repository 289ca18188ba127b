// Package memory is the store of both Go plugins. It is independent of plugins.
package memory

import (
	"context"
	"log/slog"
	"sync"

	"github.com/jackfield-go/jackfield/examples/grpc/kv"
)

// Store keeps values in memory. Calls are concurrent, so it has a lock.
type Store struct {
	logger *slog.Logger

	mu     sync.Mutex
	values map[string][]byte
}

// New returns an empty store. It logs its actions to logger.
func New(logger *slog.Logger) *Store {
	return &Store{logger: logger, values: make(map[string][]byte)}
}

// Put stores value and takes ownership of it.
func (s *Store) Put(_ context.Context, key string, value []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.values[key] = value
	s.logger.Info("stored a value", "key", key, "bytes", len(value))
	return nil
}

// Get returns the value under key. The caller must not change it.
func (s *Store) Get(_ context.Context, key string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	value, ok := s.values[key]
	if !ok {
		return nil, kv.ErrNotFound
	}
	return value, nil
}
