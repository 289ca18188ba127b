package shared

import (
	"io"
	"net/rpc"
)

// Asker answers questions over a brokered connection: the host's end of
// Callback and the plugin's end of ServeBack.
type Asker interface {
	Ask(question string) (answer string, err error)
}

// AskerFunc makes an [Asker] from a function.
type AskerFunc func(question string) (string, error)

// Ask calls the function.
func (f AskerFunc) Ask(question string) (string, error) { return f(question) }

// HostAnswer returns the answer of this suite's hosts to a plugin.
func HostAnswer(question string) (string, error) { return "host answers " + question, nil }

// PluginAnswer returns the answer of this suite's plugins to a host.
func PluginAnswer(question string) (string, error) { return "plugin answers " + question, nil }

// AskerServer is the net/rpc receiver of an [Asker].
type AskerServer struct {
	asker Asker
}

// NewAskerServer returns the net/rpc receiver for asker. Register it under the name
// "Plugin".
func NewAskerServer(asker Asker) *AskerServer { return &AskerServer{asker: asker} }

// Ask answers one question.
func (s *AskerServer) Ask(question string, reply *string) error {
	answer, err := s.asker.Ask(question)
	*reply = answer
	return err
}

// ServeAsker serves asker on conn until the peer closes it.
func ServeAsker(conn io.ReadWriteCloser, asker Asker) {
	server := rpc.NewServer()
	if err := server.RegisterName(service, NewAskerServer(asker)); err != nil {
		_ = conn.Close()
		return
	}
	server.ServeConn(conn)
}
