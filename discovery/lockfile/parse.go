package lockfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/jackfield-go/jackfield/discovery/internal/text"
)

// These bound a foreign file.
const (
	maxFile   = 16 << 20
	maxErrors = 20
)

// These bound foreign text in an error, in bytes.
const (
	shownFile  = 4 << 10
	shownKey   = 200
	shownError = 500
)

// ParseError is the fault of an unreadable part of a lock file. The other entries
// count.
type ParseError struct {
	// File is the lock file, Line the number of the line, from 1.
	File string
	Line int
	// Err is the reason.
	Err error
}

func (e *ParseError) Error() string {
	return fmt.Sprintf("%s:%d: %s", text.Line(e.File, shownFile), e.Line, text.Line(e.Err.Error(), shownError))
}

// Unwrap returns the reason.
func (e *ParseError) Unwrap() error { return e.Err }

// FormatError says that a later release wrote the lock file.
type FormatError struct {
	// Version is the version of the file's form; this release knows 1.
	Version int
}

func (e *FormatError) Error() string {
	return fmt.Sprintf("the lock file has version %d, and this program reads version %d: update the program", e.Version, format)
}

// Parse reads a lock file; file is its name in errors. An empty one has no entries.
// The File holds all good entries, also beside an error: one or several
// *[ParseError], joined, the first twenty of them. Unknown keys of objects are
// skipped.
func Parse(file string, data []byte) (*File, error) {
	p := parser{file: file, data: data, result: new(File), seen: make(map[Key]bool)}
	if len(data) > maxFile {
		return p.result, fmt.Errorf("%s exceeds the limit of %d bytes for a lock file", text.Line(file, shownFile), maxFile)
	}
	if len(bytes.TrimSpace(data)) > 0 {
		p.decoder = json.NewDecoder(bytes.NewReader(data))
		if err := p.document(); err != nil {
			p.report(p.decoder.InputOffset(), err)
		}
	}
	slices.SortFunc(p.result.entries, func(a, b Entry) int { return a.compare(b.Key) })
	return p.result, errors.Join(p.errs...)
}

// parser goes through the tokens, since it needs to know where an entry begins.
type parser struct {
	file    string
	data    []byte
	decoder *json.Decoder
	result  *File
	seen    map[Key]bool
	errs    []error

	version   int
	versioned bool // there is one
}

func (p *parser) report(offset int64, err error) {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		offset = max(offset, syntax.Offset)
	}
	if len(p.errs) < maxErrors {
		line := 1 + bytes.Count(p.data[:min(offset, int64(len(p.data)))], []byte("\n"))
		p.errs = append(p.errs, &ParseError{File: p.file, Line: line, Err: err})
	}
}

var errForm = errors.New(`it must be an object with "version" and "plugins"`)

func (p *parser) document() error {
	if err := p.expect('{'); err != nil {
		return err
	}
	for p.decoder.More() {
		key, err := p.decoder.Token()
		if err != nil {
			return noEOF(err)
		}
		switch key {
		case "version":
			p.versioned, err = true, p.decoder.Decode(&p.version)
		case "plugins":
			err = p.plugins()
		default:
			err = p.decoder.Decode(new(json.RawMessage))
		}
		if err != nil {
			return noEOF(err)
		}
	}
	if err := p.expect('}'); err != nil {
		return err
	}
	switch {
	case !p.versioned:
		return errForm
	case p.version != format:
		return &FormatError{Version: p.version}
	}
	if _, err := p.decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is more after the end of the object")
	}
	return nil
}

func (p *parser) expect(delimiter json.Delim) error {
	token, err := p.decoder.Token()
	if err != nil {
		return noEOF(err)
	}
	if token != delimiter {
		return errForm
	}
	return nil
}

func (p *parser) plugins() error {
	if err := p.expect('['); err != nil {
		return err
	}
	for p.decoder.More() {
		var raw json.RawMessage
		if err := p.decoder.Decode(&raw); err != nil {
			return err
		}
		begin := p.decoder.InputOffset() - int64(len(raw))
		var entry Entry
		err := json.Unmarshal(raw, &entry)
		if err == nil {
			err = entry.validate()
		}
		if err == nil && p.seen[entry.Key] {
			err = fmt.Errorf("there is another entry for %s", entry.Key.shown())
		}
		if err != nil {
			p.report(begin, fmt.Errorf("an entry cannot be used: %w", err))
			continue
		}
		p.seen[entry.Key] = true
		p.result.entries = append(p.result.entries, entry)
	}
	return p.expect(']')
}

// noEOF makes an end in the middle of the text an error with that reason.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
