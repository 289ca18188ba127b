package rpc

import (
	"bytes"
	"encoding/gob"
	"fmt"
	"io"
	"reflect"
)

// maxRequestHeader bounds the header of a request, in bytes: the name of a method,
// and the definition of the header's type.
const maxRequestHeader = 64 << 10

// request and response are the headers of the standard library's net/rpc: a
// body follows each. gob matches them by their fields' names.
type request struct {
	ServiceMethod string
	Seq           uint64
}

type response struct {
	ServiceMethod string
	Seq           uint64
	Error         string
}

// invalidBody is the body of an answer with an error.
var invalidBody = struct{}{}

// messageWriter encodes headers and bodies and writes both at once. It is used
// by one goroutine at a time.
//
// Encoded data must reach the other side even if its caller gives up: gob describes a
// type once, for all later messages. So the rest of an interrupted write goes out
// before the next message.
type messageWriter struct {
	w      io.Writer
	enc    *gob.Encoder
	target *bytes.Buffer
	body   bytes.Buffer
	out    bytes.Buffer // still to be written

	tried map[reflect.Type]bool // types, and whether their values are tried first
}

// keepBuffer is the largest capacity of a buffer kept between messages.
const keepBuffer = 64 << 10

func newMessageWriter(w io.Writer) *messageWriter {
	m := &messageWriter{w: w}
	m.enc = gob.NewEncoder(writerFunc(func(p []byte) (int, error) { return m.target.Write(p) }))
	return m
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// encodeError is an error of the values, not of the connection.
type encodeError struct{ error }

func (e encodeError) Unwrap() error { return e.error }

// write sends header and body. The body is encoded first: if it cannot be,
// the error is an encodeError and no header has been sent.
func (m *messageWriter) write(header, body any) error {
	if err := m.flush(); err != nil {
		return err
	}
	m.target = &m.body
	bodyErr := m.try(body)
	if bodyErr == nil {
		bodyErr = m.enc.Encode(body)
	}
	if bodyErr == nil {
		m.target = &m.out
		bodyErr = m.enc.Encode(header)
	}
	m.out.Write(m.body.Bytes()) // after a failure: its type descriptions
	m.body.Reset()
	if bodyErr != nil {
		return encodeError{bodyErr}
	}
	return m.flush()
}

// try reports an unencodable body before the connection's encoder touches it, since the
// other side mirrors that encoder's state. In a value with interfaces, gob counts types
// as described even if it then drops the message.
func (m *messageWriter) try(body any) error {
	if err := sendable(body); err != nil {
		return err
	}
	t := reflect.TypeOf(body)
	first, known := m.tried[t]
	if !known {
		first = holdsInterface(t, make(map[reflect.Type]bool))
		if m.tried == nil {
			m.tried = make(map[reflect.Type]bool)
		}
		m.tried[t] = first
	}
	if !first {
		return nil
	}
	return gob.NewEncoder(io.Discard).Encode(body)
}

// holdsInterface reports whether values of type t can have interfaces in them.
func holdsInterface(t reflect.Type, seen map[reflect.Type]bool) bool {
	if t == nil || seen[t] {
		return false
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Interface:
		return true
	case reflect.Pointer, reflect.Slice, reflect.Array:
		return holdsInterface(t.Elem(), seen)
	case reflect.Map:
		return holdsInterface(t.Key(), seen) || holdsInterface(t.Elem(), seen)
	case reflect.Struct:
		for i := range t.NumField() {
			if t.Field(i).IsExported() && holdsInterface(t.Field(i).Type, seen) {
				return true
			}
		}
	default:
	}
	return false
}

// sendable refuses nil pointers: gob panics over them.
func sendable(body any) error {
	for v := reflect.ValueOf(body); v.Kind() == reflect.Pointer; v = v.Elem() {
		if v.IsNil() {
			return fmt.Errorf("gob cannot carry a nil %v", v.Type())
		}
	}
	return nil
}

// flush writes the rest. After an error it can be called again.
func (m *messageWriter) flush() error {
	if m.out.Len() == 0 {
		return nil
	}
	n, err := m.w.Write(m.out.Bytes())
	m.out.Next(n)
	if err != nil {
		return err
	}
	if m.out.Cap() > keepBuffer {
		m.out = bytes.Buffer{}
	}
	if m.body.Cap() > keepBuffer {
		m.body = bytes.Buffer{}
	}
	return nil
}

// messageReader decodes headers and bodies. It tells a broken connection from an
// undecodable message: gob goes on after the latter.
type messageReader struct {
	dec    *gob.Decoder
	source *frameReader
	limit  int
	types  keptTypes
}

// newMessageReader takes messages of up to limit bytes.
func newMessageReader(r io.Reader, limit int) *messageReader {
	source := newFrameReader(r, limit)
	dec := gob.NewDecoder(source)
	return &messageReader{dec: dec, source: source, limit: limit, types: newKeptTypes(dec)}
}

// header reads a header. After an error nothing more can be read.
func (m *messageReader) header(header any) error {
	if _, ok := header.(*request); ok {
		return m.decode(reflect.ValueOf(header), "a request's header", min(m.limit, maxRequestHeader))
	}
	return m.decode(reflect.ValueOf(header), "", m.limit)
}

// body reads a body into a new value of type t; with a nil type it is skipped.
// After an error more can be read unless broken says otherwise.
func (m *messageReader) body(t reflect.Type) (value reflect.Value, err error) {
	if t != nil {
		value = reflect.New(t)
	}
	return value, m.decode(value, "", m.limit)
}

// decode reads a value with the definitions in front of it.
func (m *messageReader) decode(into reflect.Value, part string, limit int) error {
	m.source.begin(part, limit)
	err := m.dec.DecodeValue(into)
	if m.source.err == nil {
		if m.source.err = m.types.check(m.source.defined); m.source.err != nil {
			return m.source.err
		}
	}
	return err
}

// broken reports whether the connection is of no more use: it has ended, or a
// message was too large.
func (m *messageReader) broken() bool { return m.source.err != nil }
