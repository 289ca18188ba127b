package transportgrpc

import (
	"encoding/binary"
	"math"
	"sync/atomic"
)

// The format of a server's first frame in HTTP/2 (RFC 9113).
const (
	frameHeaderSize          = 9
	frameTypeSettings        = 4
	settingSize              = 6
	settingConcurrentStreams = 3
	maxSettings              = 64 // read of the frame; servers send fewer than ten
)

// settings reads the limit of concurrent streams from the first frame of a server,
// since gRPC does not tell it: calls above it wait without a word.
type settings struct {
	known   atomic.Bool
	streams uint32 // once known
	buffer  []byte
}

// take takes the server's bytes, in order, until the settings are known. It is called
// by one goroutine.
func (s *settings) take(data []byte) {
	const most = frameHeaderSize + maxSettings*settingSize
	s.buffer = append(s.buffer, data[:min(len(data), most-len(s.buffer))]...)
	if len(s.buffer) < frameHeaderSize {
		return
	}
	length := int(s.buffer[0])<<16 | int(s.buffer[1])<<8 | int(s.buffer[2])
	end := min(frameHeaderSize+length, most)
	if len(s.buffer) < end {
		return
	}
	s.streams = math.MaxUint32
	if s.buffer[3] == frameTypeSettings {
		for at := frameHeaderSize; at+settingSize <= end; at += settingSize {
			if binary.BigEndian.Uint16(s.buffer[at:]) == settingConcurrentStreams {
				s.streams = binary.BigEndian.Uint32(s.buffer[at+2:])
			}
		}
	}
	s.buffer = nil
	s.known.Store(true)
}

// maxStreams returns the server's limit of streams at a time, if known.
func (s *settings) maxStreams() uint32 {
	if !s.known.Load() {
		return math.MaxUint32
	}
	return s.streams
}
