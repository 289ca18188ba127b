package rpc

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// Service is an object and its callable methods.
type Service struct {
	methods map[string]*method
	unfit   map[string]error // the faults of the other methods
}

// method is a callable method, of the form
//
//	func (t *T) Name(args A, reply *R) error
//	func (t *T) Name(ctx context.Context, args A, reply *R) error
type method struct {
	fn      reflect.Value // bound to its receiver
	args    reflect.Type  // the decoded type: A, or A's element if it is a pointer
	pointer bool          // A is a pointer
	reply   reflect.Type  // R
	context bool
}

var (
	errorType   = reflect.TypeFor[error]()
	contextType = reflect.TypeFor[context.Context]()
)

// NewService finds the callable methods of object. They have the form of net/rpc,
// func (t *T) Name(args A, reply *R) error, with or without a context.Context in front,
// and may take unexported types. An object without callable methods is an error.
func NewService(object any) (*Service, error) {
	if object == nil {
		return nil, errors.New("nil cannot be served: pass an object with methods (with transportnetrpc.Carry, return it from the server function)")
	}
	receiver := reflect.ValueOf(object)
	s := &Service{methods: make(map[string]*method), unfit: make(map[string]error)}
	for i := range receiver.NumMethod() {
		name := receiver.Type().Method(i).Name
		m, err := newMethod(receiver.Method(i))
		if err != nil {
			s.unfit[name] = err
			continue
		}
		s.methods[name] = m
	}
	if len(s.methods) == 0 {
		return nil, fmt.Errorf("a %T cannot be served: %s", object, s.whyNone(receiver.Type()))
	}
	return s, nil
}

// whyNone explains the absence of callable methods.
func (s *Service) whyNone(t reflect.Type) string {
	const form = "a callable method is exported and looks like func (t *T) Name(args A, reply *R) error, " +
		"with an optional context.Context in front"
	switch {
	case len(s.unfit) > 0:
		var unfit []string
		for _, name := range slices.Sorted(maps.Keys(s.unfit)) {
			unfit = append(unfit, name+" "+s.unfit[name].Error())
		}
		return strings.Join(unfit, ", ") + "; " + form
	case t.Kind() != reflect.Pointer && reflect.PointerTo(t).NumMethod() > 0:
		return "its methods are those of its pointer: pass a pointer"
	}
	return "it has no exported methods; " + form
}

func newMethod(fn reflect.Value) (*method, error) {
	t := fn.Type()
	m := &method{fn: fn}
	first := 0
	if t.NumIn() == 3 && t.In(0) == contextType {
		m.context = true
		first = 1
	}
	switch {
	case t.IsVariadic() || t.NumIn() != first+2:
		return nil, errors.New("does not take arguments and a reply")
	case t.NumOut() != 1 || t.Out(0) != errorType:
		return nil, errors.New("does not return an error")
	case t.In(first+1).Kind() != reflect.Pointer:
		return nil, fmt.Errorf("has a reply of type %v, not a pointer", t.In(first+1))
	}
	m.args = t.In(first)
	if m.args.Kind() == reflect.Pointer {
		m.args, m.pointer = m.args.Elem(), true
	}
	m.reply = t.In(first + 1).Elem()
	return m, nil
}

// call runs the method on decoded arguments and returns its reply.
func (m *method) call(ctx context.Context, args reflect.Value) (any, error) {
	if !m.pointer {
		args = args.Elem()
	}
	reply := newReply(m.reply)
	in := make([]reflect.Value, 0, 3)
	if m.context {
		in = append(in, reflect.ValueOf(ctx))
	}
	out := m.fn.Call(append(in, args, reply))
	if err, ok := reflect.TypeAssert[error](out[0]); ok && err != nil {
		return nil, err
	}
	return reply.Interface(), nil
}

// newReply returns a pointer to a t for a method to fill: maps and slices are not nil,
// as with net/rpc.
func newReply(t reflect.Type) reflect.Value {
	reply := reflect.New(t)
	switch t.Kind() {
	case reflect.Map:
		reply.Elem().Set(reflect.MakeMap(t))
	case reflect.Slice:
		reply.Elem().Set(reflect.MakeSlice(t, 0, 0))
	default:
	}
	return reply
}
