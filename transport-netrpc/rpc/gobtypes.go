package rpc

import (
	"encoding/gob"
	"reflect"
)

// gob keeps each type definition as long as the connection lasts, and reads on
// until a value follows. maxDefinitions bounds their bytes on a connection: some
// thousand large types. Each definition counts definitionCost bytes more, the cost of
// the smallest in memory.
const (
	maxDefinitions = 1 << 20
	definitionCost = 64
)

func checkDefinitions(bytes uint64) error {
	if bytes > maxDefinitions {
		return &MessageSizeError{Size: bytes, Limit: maxDefinitions, Part: "type definitions"}
	}
	return nil
}

// keptTypes are the type definitions in a decoder. Most come in messages of their own,
// and frameReader counts these. Interfaces inside of interfaces have theirs in the
// middle of a value, and gob alone finds them. No method of gob tells them, so
// keptTypes looks at its table.
type keptTypes struct {
	table   reflect.Value // by ID
	hidden  int           // definitions in the table without a message of their own
	counted map[int64]bool
	bytes   uint64 // of those counted
}

func newKeptTypes(dec *gob.Decoder) keptTypes {
	return keptTypes{table: reflect.ValueOf(dec).Elem().FieldByName("wireType")}
}

// check limits the definitions; defined is the number with messages of their own.
func (k *keptTypes) check(defined int) error {
	if k.table.Kind() != reflect.Map || k.table.Len() <= defined+k.hidden {
		return nil
	}
	k.hidden = k.table.Len() - defined
	if k.counted == nil {
		k.counted = make(map[int64]bool)
	}
	for types := k.table.MapRange(); types.Next(); {
		if id := types.Key().Int(); !k.counted[id] {
			k.counted[id] = true
			k.bytes += definitionCost + footprint(types.Value())
		}
	}
	return checkDefinitions(k.bytes)
}

// footprint estimates the bytes of a value without cycles.
func footprint(v reflect.Value) (bytes uint64) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			bytes = footprint(v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			bytes += footprint(v.Field(i))
		}
	case reflect.Slice:
		for i := range v.Len() {
			bytes += footprint(v.Index(i))
		}
	case reflect.String:
		bytes = uint64(v.Len())
	default:
		bytes = uint64(v.Type().Size())
	}
	return bytes
}
