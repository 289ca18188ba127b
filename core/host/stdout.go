package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"

	"github.com/jackfield-go/jackfield/core/handshake"
)

// errNoLine is the error of a plugin whose stdout ends without a handshake
// line.
var errNoLine = errors.New("its output ended without a handshake line")

// stdout reads a plugin's standard output: noise, then the handshake line, then
// ignored output that must not fill the pipe (§2).
type stdout struct {
	source   io.Reader
	logger   *slog.Logger
	maxNoise int
	found    chan announcement // gets one

	mu       sync.Mutex
	lastLine string
	unread   []byte // the begun line, without its newline
}

type announcement struct {
	line handshake.Line
	err  error
}

func newStdout(source io.Reader, maxNoise int, logger *slog.Logger) *stdout {
	return &stdout{source: source, logger: logger, maxNoise: max(maxNoise, 0), found: make(chan announcement, 1)}
}

// handshake waits for the line.
func (s *stdout) handshake(ctx context.Context) (handshake.Line, error) {
	select {
	case a := <-s.found:
		return a.line, a.err
	case <-ctx.Done():
		return handshake.Line{}, fmt.Errorf("no handshake line: %w", context.Cause(ctx))
	}
}

// last returns the last line read, also without its newline.
func (s *stdout) last() string {
	if text := s.unfinished(); text != "" {
		return text
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lastLine
}

// unfinished returns the begun line without its newline, up to the maximum length of a handshake
// line.
func (s *stdout) unfinished() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(s.unread[:min(len(s.unread), handshake.MaxLine)])
}

func (s *stdout) remember(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastLine, s.unread = line, nil
}

// keep stores the begun line. Its bytes do not change later.
func (s *stdout) keep(unread []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unread = unread
}

// run reads to the end of the output.
func (s *stdout) run() {
	line, err := s.search()
	s.found <- announcement{line, err}
	var buffer [512]byte
	for {
		if _, err := s.source.Read(buffer[:]); err != nil {
			return
		}
	}
}

// search reads lines until one is a handshake line or a malformed one.
func (s *stdout) search() (handshake.Line, error) {
	var unread []byte
	chunk := make([]byte, 1024)
	noise := 0
	for {
		n, err := s.source.Read(chunk)
		unread = append(unread, chunk[:n]...)
		for {
			end := bytes.IndexByte(unread, '\n')
			if end < 0 {
				break
			}
			line, isLine, parseErr := s.examine(string(unread[:end]))
			if isLine {
				return line, parseErr
			}
			noise += end + 1
			unread = unread[end+1:]
		}
		s.keep(unread)
		switch {
		case noise+len(unread) > s.maxNoise+handshake.MaxLine, noise > s.maxNoise:
			return handshake.Line{}, &NoiseError{Limit: s.maxNoise}
		case err != nil:
			return s.ended(unread, err)
		}
	}
}

// ended examines the text after the last newline.
func (s *stdout) ended(unread []byte, err error) (handshake.Line, error) {
	if len(unread) > 0 {
		if line, isLine, parseErr := s.examine(string(unread)); isLine {
			return line, parseErr
		}
	}
	if !errors.Is(err, io.EOF) {
		return handshake.Line{}, fmt.Errorf("read the plugin's stdout: %w", err)
	}
	return handshake.Line{}, errNoLine
}

// examine parses a handshake line, also after noise printed without a newline.
func (s *stdout) examine(text string) (line handshake.Line, isLine bool, err error) {
	s.remember(text)
	if handshake.IsCandidate(text) {
		line, err = handshake.Parse(text)
		return line, true, err
	}
	if noise, rest, ok := handshake.SplitGlued(text); ok {
		s.logger.Debug("the plugin printed something in front of its handshake line", "text", noise)
		line, err = handshake.Parse(rest)
		return line, true, err
	}
	s.logger.Debug("the plugin printed something before its handshake line", "text", text)
	return handshake.Line{}, false, nil
}
