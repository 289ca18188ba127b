package logline

import (
	"bytes"
	"unicode/utf8"
	"weak"
)

const (
	// idleSize is the buffer's size while little comes: what a silent plugin
	// costs its host.
	idleSize = 1 << 10
	// bulkSize is the buffer's size while reads keep filling it.
	bulkSize = 32 << 10
)

// A lineBuffer cuts what is read into lines. It is small while the plugin is
// quiet, and grows with a flood or a long line; only the small part stays.
type lineBuffer struct {
	maxLine int

	buf        []byte
	start, end int  // what is read and not yet handed out
	scanned    int  // there is no line end before this place
	flooded    bool // the last read filled the buffer

	idle []byte
	// bulk lets the large buffer of a flood serve the next one, unless the
	// garbage collector had a use for it in between.
	bulk weak.Pointer[[bulkSize]byte]
}

// room returns where to read to. It is never empty.
func (b *lineBuffer) room() []byte {
	size := idleSize
	if b.flooded {
		size = bulkSize
	}
	pending := b.end - b.start
	for size < 2*pending {
		size *= 2
	}
	// A pending line is at most maxLine bytes and a few, so this leaves room.
	size = min(size, max(idleSize, b.maxLine)+bulkSize)
	switch {
	case size != len(b.buf):
		b.move(b.sized(size))
	case b.start > 0:
		b.move(b.buf)
	}
	return b.buf[b.end:]
}

// move takes what is pending to the front of a buffer.
func (b *lineBuffer) move(to []byte) {
	n := copy(to, b.buf[b.start:b.end])
	b.scanned -= b.start
	b.start, b.end = 0, n
	b.buf = to
}

// sized returns a buffer.
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

// filled says that n bytes of the room were read.
func (b *lineBuffer) filled(n int) {
	b.flooded = n == len(b.buf)-b.end
	b.end += n
}

// next returns the next line without its end, or the next piece of one that is
// longer than maxLine; last says that the line ends with it. The text is good
// until the next call of room. ok is false when more must be read. With eof the
// rest counts as a line.
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
		// One byte more than a line may have could be the CR before the end.
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

// piece hands out as much of text as a line may have, cut between characters.
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
