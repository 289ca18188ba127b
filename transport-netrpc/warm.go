package transportnetrpc

import (
	"bytes"
	"encoding/gob"
)

// warmUp makes gob learn the types of the headers and of the control messages,
// which takes longer than a call. A plugin does it on the side before the host
// connects: the time would be part of every launch otherwise.
func warmUp() {
	var wire bytes.Buffer
	enc, dec := gob.NewEncoder(&wire), gob.NewDecoder(&wire)
	for _, value := range []any{new(request), new(response), new(bool), new(string), new(uint32), &invalidBody} {
		if enc.Encode(value) != nil || dec.Decode(value) != nil {
			return
		}
	}
}
