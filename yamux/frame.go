package yamux

import "encoding/binary"

// The frame header: version, type, flags, stream, length; big endian.
const (
	headerSize      = 12
	protocolVersion = 0

	// initialWindow is the number of bytes each side may send on a new stream
	// before the first window update. Both ends must agree on it.
	initialWindow = 256 << 10

	// maxFrame limits the payload of sent data frames, so that one stream's
	// bulk does not delay another's small message for long.
	maxFrame = 64 << 10
)

type frameType uint8

const (
	typeData frameType = iota
	typeWindowUpdate
	typePing
	typeGoAway
)

type frameFlags uint16

const (
	flagSYN frameFlags = 1 << iota
	flagACK
	flagFIN
	flagRST
)

// The codes of a go away frame.
const (
	goAwayNormal uint32 = iota
	goAwayProtocolError
	goAwayInternalError
)

// frame is a decoded header. length is the payload size of data frames, and a
// value for other types.
type frame struct {
	kind   frameType
	flags  frameFlags
	id     uint32
	length uint32
}

// has reports whether any of the flags is set.
func (f frame) has(flags frameFlags) bool { return f.flags&flags != 0 }

// append adds the encoded header to b.
func (f frame) append(b []byte) []byte {
	b = append(b, protocolVersion, byte(f.kind))
	b = binary.BigEndian.AppendUint16(b, uint16(f.flags))
	b = binary.BigEndian.AppendUint32(b, f.id)
	return binary.BigEndian.AppendUint32(b, f.length)
}

// parseFrame decodes the header in the first headerSize bytes of b.
func parseFrame(b []byte) (frame, error) {
	f := frame{
		kind:   frameType(b[1]),
		flags:  frameFlags(binary.BigEndian.Uint16(b[2:])),
		id:     binary.BigEndian.Uint32(b[4:]),
		length: binary.BigEndian.Uint32(b[8:]),
	}
	if b[0] != protocolVersion {
		return frame{}, &ProtocolError{StreamID: f.id, Reason: "unknown protocol version"}
	}
	if f.kind > typeGoAway {
		return frame{}, &ProtocolError{StreamID: f.id, Reason: "unknown frame type"}
	}
	return f, nil
}
