package rpc

import (
	"encoding/gob"
	"errors"
	"strings"
	"testing"

	"github.com/jackfield-go/jackfield/core"
)

// picky decodes nothing but good values.
type picky struct{ Text string }

func (p picky) GobEncode() ([]byte, error) { return []byte(p.Text), nil }

func (p *picky) GobDecode(data []byte) error {
	if p.Text = string(data); p.Text == "bad" {
		return errors.New("bad is bad")
	}
	return nil
}

// mixed holds interfaces. gob encodes them only if their types are registered.
type mixed struct{ First, Second any }

type registered struct{ N int }

type unregistered struct{ N int }

type valueServer struct{}

func (valueServer) Picky(args picky, reply *picky) error {
	*reply = args
	return nil
}

func (valueServer) Bad(_ struct{}, reply *picky) error {
	reply.Text = "bad"
	return nil
}

func (valueServer) Mixed(args mixed, reply *mixed) error {
	*reply = args
	return nil
}

func (valueServer) Unregistered(_ struct{}, reply *mixed) error {
	*reply = mixed{registered{1}, unregistered{2}}
	return nil
}

// stillWorks expects a usable connection.
func stillWorks(t *testing.T, c *Client) {
	t.Helper()
	var reply picky
	if err := c.Call(within(t), "Picky", picky{"good"}, &reply); err != nil || reply.Text != "good" {
		t.Fatalf("afterwards: %+v, %v", reply, err)
	}
}

func TestValueThatRefusesToBeDecodedFailsItsCallOnly(t *testing.T) {
	c := clientOf(t, valueServer{})
	var reply picky
	for _, err := range []error{
		c.Call(within(t), "Picky", picky{"bad"}, &reply),
		c.Call(within(t), "Bad", struct{}{}, &reply),
	} {
		if err == nil || !strings.Contains(err.Error(), "bad is bad") || errors.Is(err, core.ErrConnectionLost) {
			t.Errorf("got %v", err)
		}
	}
	stillWorks(t, c)
}

func TestInterfaceThatCannotBeEncodedFailsItsCallOnly(t *testing.T) {
	gob.Register(registered{})
	c := clientOf(t, valueServer{})
	var reply mixed
	for _, err := range []error{
		c.Call(within(t), "Mixed", mixed{registered{1}, unregistered{2}}, &reply),
		c.Call(within(t), "Unregistered", struct{}{}, &reply),
	} {
		if err == nil || !strings.Contains(err.Error(), "not registered") {
			t.Errorf("got %v", err)
		}
	}
	if err := c.Call(within(t), "Mixed", mixed{First: registered{7}}, &reply); err != nil || reply.First != (registered{7}) {
		t.Errorf("afterwards: %+v, %v", reply, err)
	}
	stillWorks(t, c)
}
