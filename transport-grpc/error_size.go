package transportgrpc

import (
	"fmt"
	"unicode/utf8"

	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// Limits of an error in bytes on the wire, as a header. A Go client drops the connection
// at 16 MiB of headers. A client on gRPC's C core fails a call with more than 8 KiB of
// headers; only services lent by a host have such clients.
const (
	maxErrorOfPlugin = 64 << 10
	maxErrorOfHost   = 6 << 10
)

// maxMark is the room for the note of a cut.
const maxMark = 128

// bounded returns err, cut if it has more than room bytes on the wire. Details that
// do not fit are dropped, and the code is kept.
func bounded(err error, room int) error {
	if err == nil {
		return nil
	}
	s, ok := status.FromError(err)
	if !ok {
		s = status.FromContextError(err) // as gRPC does
	}
	p := s.Proto()
	text, size := p.GetMessage(), detailsSize(s)
	mark := ""
	switch {
	case size > room/2:
		p.Details = nil
		mark = fmt.Sprintf(" [details of %d bytes were dropped]", size)
	case size > 0:
		room = (room - size) * 3 / 7 // the details have the text too, in base64
	}
	if cut := fitting(text, room-maxMark); cut < len(text) && fitting(text, room) < len(text) {
		p.Message = text[:cut]
		mark = fmt.Sprintf("… [cut: the text has %d bytes]", len(text)) + mark
	}
	if mark == "" {
		return err
	}
	p.Message += mark
	return status.FromProto(p).Err()
}

// detailsSize returns the size of the details on the wire, 0 without details.
func detailsSize(s *status.Status) int {
	p := s.Proto()
	if len(p.GetDetails()) == 0 {
		return 0
	}
	p.Message = ""
	return proto.Size(p)*4/3 + 4
}

// fitting returns the number of bytes of text to fit into room; gRPC writes all but
// printable ASCII as %XX. It cuts no character in its middle.
func fitting(text string, room int) int {
	if len(text) <= room/3 {
		return len(text)
	}
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' || c == '%' {
			room -= 2
		}
		if room--; room >= 0 {
			continue
		}
		for i > 0 && !utf8.RuneStart(text[i]) {
			i--
		}
		return i
	}
	return len(text)
}
