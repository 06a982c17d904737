"""Structure messages written as SDMX-ML 2.1."""

from __future__ import annotations

from sdmx_service.structures.writing_ml import message_id, structure_message

__all__ = ["message_id", "structure_message"]
