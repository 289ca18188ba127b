package transportnetrpc

import (
	"fmt"
	"sync"
)

// controlService lets a host check and end the plugin. Each control stream has its
// own.
type controlService struct {
	server *server

	mu    sync.Mutex
	asked bool // counted among the server's asking
	gone  bool // the host has hung up
}

// Ping answers.
func (c *controlService) Ping(bool, *struct{}) error { return nil }

// Quit answers when the plugin has finished everything.
func (c *controlService) Quit(bool, *struct{}) error {
	c.mu.Lock()
	if !c.asked && !c.gone {
		c.asked = c.server.asking.Begin()
	}
	c.mu.Unlock()
	c.server.link.Quit()
	return nil
}

// hungUp is called when the control stream has ended.
func (c *controlService) hungUp() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gone = true
	if c.asked {
		c.server.asking.End()
	}
}

// dispenserService makes instances of plugins.
type dispenserService struct {
	server *server
	broker *Broker
}

// Dispense makes a new instance and answers with the ID to dial for it.
func (d *dispenserService) Dispense(name string, id *uint32) error {
	bound := d.server.link.Implements
	plugin, err := d.server.transport.find(name, "plugin", func(c carried) bool { return c.implemented(bound) })
	if err != nil {
		return fmt.Errorf("unknown plugin %q: %w", name, err)
	}
	object, err := plugin.server(d.broker, bound)
	if err != nil {
		return fmt.Errorf("the server function of plugin %q: %w", name, err)
	}
	if *id, err = d.broker.dispense(object); err != nil {
		return fmt.Errorf("plugin %q: %w", name, err)
	}
	return nil
}
