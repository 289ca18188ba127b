package verify

import (
	"context"
	"crypto"
	"io"
	"os"
	"sync"

	"github.com/jackfield-go/jackfield/core/internal/fileid"
)

// sharedCopy is a copy with its sums. Its owners are the cache and each launch that uses
// it; the last owner closes it.
type sharedCopy struct {
	id    fileid.ID
	ready chan struct{} // closed when sealed and err are set

	sealed *Sealed
	err    error

	hashing chan struct{} // holds one token while a sum is computed
	sums    map[crypto.Hash][]byte

	mu     sync.Mutex
	owners int

	// Under the mutex of the cache.
	key      cacheKey
	used     uint64
	approved bool // some verifier let it run
}

func newSharedCopy(owners int) *sharedCopy {
	return &sharedCopy{
		ready:   make(chan struct{}),
		hashing: make(chan struct{}, 1),
		sums:    make(map[crypto.Hash][]byte),
		owners:  owners,
	}
}

// fill makes the copy.
func (p *sharedCopy) fill(ctx context.Context, file *os.File, cfg SealConfig) {
	p.sealed, p.err = Seal(ctx, file, cfg)
	if p.err != nil {
		p.sealed = nil
	}
	close(p.ready)
}

// ifMade returns the copy to its owner. Without a copy the owner has nothing to
// release.
func (p *sharedCopy) ifMade() (*sharedCopy, error) {
	if p.err != nil {
		p.release()
		return nil, p.err
	}
	return p, nil
}

// intact reports whether the copy is unchanged; a copy in the making is.
func (p *sharedCopy) intact() bool {
	select {
	case <-p.ready:
		return p.err == nil && p.sealed.Check() == nil
	default:
		return true
	}
}

// own adds an owner to a copy with one.
func (p *sharedCopy) own() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.owners++
}

// release takes an owner away; with the last one goes the copy.
func (p *sharedCopy) release() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.owners--
	if p.owners == 0 && p.sealed != nil {
		_ = p.sealed.Close() // a file still in use (Windows) stays for a sweep
	}
}

// sum computes a sum, once.
func (p *sharedCopy) sum(ctx context.Context, hash crypto.Hash) ([]byte, error) {
	select {
	case p.hashing <- struct{}{}:
		defer func() { <-p.hashing }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if sum, ok := p.sums[hash]; ok {
		return append([]byte(nil), sum...), nil
	}
	digest := hash.New()
	content := &contextReader{ctx: ctx, from: io.NewSectionReader(p.sealed, 0, p.sealed.Size())}
	if _, err := io.CopyBuffer(digest, content, make([]byte, 256<<10)); err != nil {
		return nil, err
	}
	sum := digest.Sum(nil)
	p.sums[hash] = sum
	return append([]byte(nil), sum...), nil
}

// contextReader reads until a context ends.
type contextReader struct {
	ctx  context.Context
	from io.Reader
}

func (r *contextReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.from.Read(p)
}
