package transportgrpc

import (
	"math"
	"testing"
)

var settingsFrames = map[string]struct {
	frame string
	want  uint32
}{
	"without settings":        {"\x00\x00\x00\x04\x00\x00\x00\x00\x00", math.MaxUint32},
	"the limit":               {"\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x02", 2},
	"the limit behind others": {"\x00\x00\x0c\x04\x00\x00\x00\x00\x00\x00\x04\x00\x00\x00\x09\x00\x03\x00\x00\x01\x00", 256},
	"half a setting":          {"\x00\x00\x04\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00", math.MaxUint32},
	"another frame":           {"\x00\x00\x06\x06\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x02", math.MaxUint32},
	"not whole":               {"\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00", math.MaxUint32},
}

func TestSettingsAreReadHoweverTheyArrive(t *testing.T) {
	for name, test := range settingsFrames {
		for size := 1; size <= len(test.frame); size++ {
			var s settings
			for at := 0; at < len(test.frame) && !s.known.Load(); at += size {
				s.take([]byte(test.frame[at:min(at+size, len(test.frame))]))
			}
			if got := s.maxStreams(); got != test.want {
				t.Errorf("%s, in pieces of %d: got %d, want %d", name, size, got, test.want)
			}
		}
	}
}

func FuzzSettings(f *testing.F) {
	for _, test := range settingsFrames {
		f.Add([]byte(test.frame), uint8(3))
	}
	f.Fuzz(func(t *testing.T, data []byte, size uint8) {
		var pieces, whole settings
		whole.take(data)
		for at := 0; at < len(data) && !pieces.known.Load(); at += int(size) + 1 {
			pieces.take(data[at:min(at+int(size)+1, len(data))])
		}
		if pieces.maxStreams() != whole.maxStreams() {
			t.Errorf("%d in pieces of %d, %d whole", pieces.maxStreams(), int(size)+1, whole.maxStreams())
		}
	})
}
