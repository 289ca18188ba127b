package transportgrpc

import (
	"context"

	"github.com/jackfield-go/jackfield/broker/exchange"
	"github.com/jackfield-go/jackfield/proto/pluginpb"
)

// maxInfo bounds a message on the broker's stream, in bytes.
const maxInfo = 64 << 10

// hostInfoStream is the broker's stream on a host, with a way to end it.
type hostInfoStream struct {
	infoStream

	cancel context.CancelFunc
}

// Interrupt ends the stream.
func (s hostInfoStream) Interrupt() { s.cancel() }

var _ exchange.Stream = infoStream{}

// infoStream is the broker's stream of either side, without gRPC's types.
type infoStream struct {
	stream interface {
		Send(info *pluginpb.ConnInfo) error
		Recv() (*pluginpb.ConnInfo, error)
	}
}

func (s infoStream) Send(info exchange.Info) error {
	message := &pluginpb.ConnInfo{ServiceId: info.ServiceID, Network: info.Network, Address: info.Address}
	if info.Knock != nil {
		message.Knock = &pluginpb.ConnInfo_Knock{Knock: info.Knock.Knock, Ack: info.Knock.Ack, Error: info.Knock.Error}
	}
	return s.stream.Send(message)
}

func (s infoStream) Recv() (exchange.Info, error) {
	message, err := s.stream.Recv()
	if err != nil {
		return exchange.Info{}, err
	}
	info := exchange.Info{
		ServiceID: message.GetServiceId(),
		Network:   message.GetNetwork(),
		Address:   message.GetAddress(),
	}
	if knock := message.GetKnock(); knock != nil {
		info.Knock = &exchange.Knock{Knock: knock.GetKnock(), Ack: knock.GetAck(), Error: knock.GetError()}
	}
	return info, nil
}
