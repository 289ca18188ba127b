package rpc

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// MessageSizeError says that the other side announced a message that is larger
// than this side takes. Nothing of it was read, and the connection was ended:
// on a Client, calls in flight and later ones return it together with
// [core.ErrConnectionLost].
type MessageSizeError struct {
	// Size is what was announced, in bytes.
	Size uint64
	// Limit is what is taken (WithMaxMessageSize).
	Limit uint64
}

func (e *MessageSizeError) Error() string {
	return fmt.Sprintf("the other side announced a message of %d bytes, and this side takes at most %d (WithMaxMessageSize allows for more)",
		e.Size, e.Limit)
}

// gobMost is the largest message that gob itself takes. The error that it has for
// others does not end the reading, though it stands in the middle of nowhere then.
const gobMost = (1<<30)<<(^uint(0)>>62) - 1

// errLength says that a message's length is none.
var errLength = errors.New("what should be the length of a message cannot be read")

// frameReader is what a gob.Decoder reads a stream of messages through: it looks
// at the length in front of each before gob makes room for it. An error stays.
type frameReader struct {
	source *bufio.Reader
	limit  uint64
	length []byte // of the current message, as it came: what is unread of it
	left   uint64 // of the current message, unread
	err    error
	space  [maxLength]byte
}

// maxLength is the longest form of a message's length: how many bytes follow,
// negated, then eight of them.
const maxLength = 9

func newFrameReader(r io.Reader, limit int) *frameReader {
	return &frameReader{source: bufio.NewReader(r), limit: min(uint64(limit), gobMost)}
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

// ReadByte tells gob that this reader is buffered: another buffer in front of it
// would read the next message's length too early.
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

func (f *frameReader) check() error {
	if f.left > f.limit {
		return &MessageSizeError{Size: f.left, Limit: f.limit}
	}
	return nil
}

// noEOF makes an end in the middle of something an unexpected one.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
