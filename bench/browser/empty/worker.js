self.postMessage('vyoma>');
