package logline

import (
	"strings"
	"testing"
)

// feed reads text into the buffer as a reader would, and drops its lines.
func feed(b *lineBuffer, text string) {
	for text != "" {
		n := copy(b.room(), text)
		b.filled(n)
		text = text[n:]
		for _, _, ok := b.next(false); ok; _, _, ok = b.next(false) {
			continue
		}
	}
}

func TestBufferIsSmallWhenThePluginIsQuiet(t *testing.T) {
	tests := []struct{ name, before string }{
		{"at first", ""},
		{"after a line", "hello\n"},
		{"after a flood", strings.Repeat("hello\n", 100_000) + "end\n"},
		{"after a long line", strings.Repeat("x", 1<<20) + "\nend\n"},
		{"inside a line", strings.Repeat("hello\n", 100_000) + "end"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := &lineBuffer{maxLine: DefaultMaxLine}
			feed(b, tt.before)
			feed(b, "x") // a read of less than the room
			b.room()
			if len(b.buf) > idleSize {
				t.Errorf("the buffer has %d bytes, want at most %d", len(b.buf), idleSize)
			}
		})
	}
}

func TestBufferHasABoundForALineWithoutAnEnd(t *testing.T) {
	for _, limit := range []int{1, 100, 5000, 100_000} {
		b := &lineBuffer{maxLine: limit}
		feed(b, strings.Repeat("x", 1_000_000))
		if room := len(b.room()); room == 0 || len(b.buf) > max(idleSize, limit)+bulkSize {
			t.Errorf("limit %d: the buffer has %d bytes, room for %d", limit, len(b.buf), room)
		}
	}
}
