package rpc

import (
	"bufio"
	"errors"
	"io"
)

// gobMost is the limit of a message in gob itself. Gob's error for larger messages does
// not end the reading, although the reader has lost its place.
const gobMost = (1<<30)<<(^uint(0)>>62) - 1

// errLength is the error of an invalid length of a message.
var errLength = errors.New("the length of a message is invalid")

// frameReader reads a stream of messages for a gob.Decoder. It checks each message's
// length before gob allocates memory, and counts type definitions. An error stays.
type frameReader struct {
	source      *bufio.Reader
	limit       uint64 // of one Decode
	part        string // the part being decoded, for the error
	taken       uint64 // by this Decode
	definitions uint64 // their bytes in the whole stream
	defined     int    // their number
	length      []byte // of the current message, encoded: its unread rest
	left        uint64 // of the current message, unread
	err         error
	space       [maxLength]byte
}

// maxLength is the longest form of a message's length: the number of bytes, negated,
// then eight bytes.
const maxLength = 9

func newFrameReader(r io.Reader, limit int) *frameReader {
	return &frameReader{source: bufio.NewReader(r), limit: min(uint64(limit), gobMost)}
}

// begin begins a Decode of at most limit bytes, the definitions in front of the value
// included.
func (f *frameReader) begin(part string, limit int) {
	f.part, f.limit, f.taken = part, min(uint64(limit), gobMost), 0
}

// Read reads of one message at most.
func (f *frameReader) Read(p []byte) (n int, err error) {
	if len(p) == 0 {
		return 0, nil
	}
	if f.err == nil && len(f.length) == 0 && f.left == 0 {
		f.err = f.next()
	}
	if f.err != nil {
		return 0, f.err
	}
	if len(f.length) > 0 {
		n = copy(p, f.length)
		f.length = f.length[n:]
		return n, nil
	}
	n, f.err = f.source.Read(p[:min(uint64(len(p)), f.left)])
	f.left -= uint64(n)
	return n, f.err
}

// ended reports whether the other side has hung up between two messages.
func (f *frameReader) ended() bool {
	return errors.Is(f.err, io.EOF) && f.left == 0 && len(f.length) == 0
}

// ReadByte marks this reader as buffered for gob: a further buffer would read the next
// message's length too early.
func (f *frameReader) ReadByte() (byte, error) {
	var b [1]byte
	_, err := io.ReadFull(f, b[:])
	return b[0], err
}

// next reads a message's length, in gob's form for numbers: itself if it is below
// 128, otherwise bytes with the highest first, and their number in front, negated.
func (f *frameReader) next() error {
	first, err := f.source.ReadByte()
	if err != nil {
		return err
	}
	f.space[0] = first
	f.length, f.left = f.space[:1], uint64(first)
	if first < 0x80 {
		return f.check()
	}
	follow := -int(int8(first))
	if follow >= maxLength {
		return errLength
	}
	f.length = f.space[:1+follow]
	if _, err := io.ReadFull(f.source, f.length[1:]); err != nil {
		return noEOF(err)
	}
	f.left = 0
	for _, b := range f.length[1:] {
		f.left = f.left<<8 | uint64(b)
	}
	return f.check()
}

// check limits the message after its length has been read.
func (f *frameReader) check() error {
	if f.left > f.limit-f.taken {
		return &MessageSizeError{Size: f.taken + f.left, Limit: f.limit, Part: f.part}
	}
	f.taken += f.left
	defines, err := f.defines()
	if err != nil || !defines {
		return err
	}
	f.defined++
	f.definitions += f.left + definitionCost
	return checkDefinitions(f.definitions)
}

// defines reports whether the message defines a type: then its first number, the
// type's ID, is negative. gob has a number's sign in the lowest bit of its last byte.
func (f *frameReader) defines() (bool, error) {
	if f.left == 0 {
		return false, nil
	}
	number, err := f.source.Peek(1)
	if err == nil && number[0] >= 0x80 {
		number, err = f.source.Peek(int(min(f.left, 1+uint64(-int8(number[0])))))
	}
	if err != nil {
		return false, noEOF(err)
	}
	return number[len(number)-1]&1 == 1, nil
}

// noEOF makes an end in the middle of something an unexpected one.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
