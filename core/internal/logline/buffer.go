package logline

import (
	"bytes"
	"unicode/utf8"
	"weak"
)

const (
	// idleSize is the buffer's size for a quiet plugin: the memory that a
	// silent plugin costs its host.
	idleSize = 1 << 10
	// bulkSize is the buffer's size while each read fills it.
	bulkSize = 32 << 10
)

// A lineBuffer cuts input into lines. It is small while the plugin is quiet,
// and grows with a flood or a long line. Only the small buffer stays allocated.
type lineBuffer struct {
	maxLine int

	buf        []byte
	start, end int  // the input not yet returned
	scanned    int  // no line end before this position
	flooded    bool // the last read filled the buffer

	idle []byte
	// bulk keeps the large buffer for the next flood, unless the garbage
	// collector frees it in between.
	bulk weak.Pointer[[bulkSize]byte]
}

// room returns the free part of the buffer for the next read. It is never empty.
func (b *lineBuffer) room() []byte {
	size := idleSize
	if b.flooded {
		size = bulkSize
	}
	pending := b.end - b.start
	for size < 2*pending {
		size *= 2
	}
	// A pending line exceeds maxLine by a few bytes at most, so free space remains.
	size = min(size, max(idleSize, b.maxLine)+bulkSize)
	switch {
	case size != len(b.buf):
		b.move(b.sized(size))
	case b.start > 0:
		b.move(b.buf)
	}
	return b.buf[b.end:]
}

// move copies the pending input to the front of a buffer.
func (b *lineBuffer) move(to []byte) {
	n := copy(to, b.buf[b.start:b.end])
	b.scanned -= b.start
	b.start, b.end = 0, n
	b.buf = to
}

// sized returns a buffer of at least size bytes.
func (b *lineBuffer) sized(size int) []byte {
	switch size {
	case idleSize:
		if b.idle == nil {
			b.idle = make([]byte, idleSize)
		}
		return b.idle
	case bulkSize:
		bulk := b.bulk.Value()
		if bulk == nil {
			bulk = new([bulkSize]byte)
			b.bulk = weak.Make(bulk)
		}
		return bulk[:]
	default:
		return make([]byte, size)
	}
}

// filled records a read of n bytes into the room.
func (b *lineBuffer) filled(n int) {
	b.flooded = n == len(b.buf)-b.end
	b.end += n
}

// next returns the next line without its end, or the next piece of a line over
// maxLine. last marks the line's last piece. The text is valid until the next
// call of room. ok is false if more input is needed. With eof, the rest counts
// as a line.
func (b *lineBuffer) next(eof bool) (text []byte, last, ok bool) {
	pending := b.buf[b.start:b.end]
	skip := b.scanned - b.start
	size := bytes.IndexByte(pending[skip:], '\n')
	switch {
	case size >= 0:
		size += skip
		b.scanned = b.start + size
		text = pending[:size]
		size++
	case eof && len(pending) > 0:
		b.scanned = b.end
		text = pending
		size = len(pending)
	default:
		b.scanned = b.end
		// The byte after the limit could be the CR before the line end.
		if len(pending) <= b.maxLine+1 {
			return nil, false, false
		}
		return b.piece(pending), false, true
	}
	if text = trimCR(text); len(text) > b.maxLine {
		return b.piece(text), false, true
	}
	b.start += size
	b.scanned = b.start
	return text, true, true
}

// piece returns up to maxLine bytes of text, cut between characters.
func (b *lineBuffer) piece(text []byte) []byte {
	cut := b.maxLine
	for back := range min(utf8.UTFMax, cut) {
		if utf8.RuneStart(text[cut-back]) {
			cut -= back
			break
		}
	}
	b.start += cut
	return text[:cut]
}

func trimCR(line []byte) []byte {
	if n := len(line); n > 0 && line[n-1] == '\r' {
		return line[:n-1]
	}
	return line
}
